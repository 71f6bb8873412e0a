// A whole number as somebody typed it into a field.

/** The number if it is whole and within the limits, both of which are allowed; else null, for an empty field too. */
export function whole(text: string, least: number, most: number): number | null {
  const number = /^\d{1,16}$/.test(text.trim()) ? Number(text) : NaN;
  return Number.isSafeInteger(number) && number >= least && number <= most ? number : null;
}
