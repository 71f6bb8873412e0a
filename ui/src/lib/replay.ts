// Words of a replay: its pace, and a place in it.

/** Paces to choose from: times as fast as it was recorded; null for as fast as it can. */
export const PACES: (number | null)[] = [0.1, 0.5, 1, 2, 5, 10, 100, null];

/** `10×`, or what has no number. */
export function paceText(factor: number | null): string {
  return factor === null ? 'As fast as it can' : `${factor}×`;
}

/** Minutes, seconds and tenths of a recording of this length; hours where it has them. */
export function place(seconds: number, length: number): string {
  const tenths = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  const two = (n: number) => String(n).padStart(2, '0');
  const s = Math.floor(tenths / 10);
  const minutes = length >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}` : two(Math.floor(s / 60));
  return `${minutes}:${two(s % 60)}.${tenths % 10}`;
}
