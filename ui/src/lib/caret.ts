// Where in a typed line the trouble is: the line around it, and the place of the caret under it.

/** Characters before and after the place that are shown. */
const BEFORE = 24;
const AFTER = 12;

/** `at` counts characters from the start of the text, as the explorer does. */
export function caretUnder(text: string, at: number): { line: string; column: number } {
  const all = [...text];
  const place = Math.min(Math.max(at, 0), all.length);
  const from = Math.max(0, place - BEFORE);
  const to = Math.min(all.length, place + AFTER);
  const head = from > 0 ? '\u2026' : '';
  const line = head + all.slice(from, to).join('') + (to < all.length ? '\u2026' : '');
  return { line, column: place - from + head.length };
}
