// A moment of another day, short and without doubt: the date as ISO 8601 has it, local time to the minute.

const two = (n: number) => String(n).padStart(2, '0');

/** `2026-02-01 13:05`, local time, of Unix milliseconds. */
export function when(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
