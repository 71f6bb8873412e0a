// One colour for one thing: a field's swatch, its bytes and its line in the scope.
import type { FieldView } from '../bindings/FieldView';
import type { SeriesView } from '../bindings/SeriesView';

const COLOURS = 8;

/** A field's name without its place in an array: all places of a repeated field are one series. */
const stem = (name: string) => name.replace(/\[\d+\]$/, '');

/**
 * The colour of each field, 1 to 8: that of its series where it is drawn, else one that no line of
 * the attribute wears, as long as there is one.
 */
export function fieldColours(fields: readonly Pick<FieldView, 'name' | 'colour'>[], series: readonly Pick<SeriesView, 'name' | 'colour' | 'visible'>[]): number[] {
  const drawn = series.filter((one) => one.visible);
  const worn = new Set(drawn.map((one) => one.colour));
  const free = Array.from({ length: COLOURS }, (_, index) => index + 1).filter((colour) => !worn.has(colour));
  let next = 0;
  return fields.map((field) => {
    const line = drawn.find((one) => one.name === field.name) ?? drawn.find((one) => one.name === stem(field.name));
    if (line) return line.colour;
    if (drawn.length === 0 || free.length === 0) return field.colour;
    return free[next++ % free.length]!;
  });
}
