// What the rows of decoded fields say and how much room they take.
import type { FieldView } from '../bindings/FieldView';

/** Which bytes, in words. `bytes` is the first and one past the last. */
export function bytesLabel([first, end]: readonly [number, number]): string {
  if (end <= first) return `at byte ${first}`;
  return end - first === 1 ? `byte ${first}` : `bytes ${first}\u2013${end - 1}`;
}

/** Which bytes, and which of their bits where it is not all of them. */
export const placeLabel = (field: Pick<FieldView, 'bytes' | 'bits'>): string => `${bytesLabel(field.bytes)}${field.bits ? ` ${field.bits}` : ''}`;

/** Rows of the table: a field that is there and wrong has a second one that says why. */
export const rowsOf = (fields: readonly Pick<FieldView, 'problem' | 'value'>[]): number =>
  fields.length + fields.filter((field) => field.problem && field.value).length;
