// The fields of a write form: what it asks for, row by row, and what was filled in.
import type { BlankView } from '../bindings/BlankView';
import type { GivenField } from '../bindings/GivenField';

/** One input of the form. */
export interface Row {
  key: string;
  /** As the explorer names it, also in what it says is wrong. */
  label: string;
  blank: BlankView;
  element: number | null;
}

/** What was filled in, by the key of its row. */
export type Filled = Record<string, string>;

const key = (name: string, element: number | null) => `${name}\n${element ?? ''}`;

/** The inputs of a form. What may be given several times has one more than are filled in. */
export function rows(blanks: BlankView[], filled: Filled): Row[] {
  return blanks.flatMap((blank) => {
    const row = (element: number | null): Row => ({ key: key(blank.name, element), label: element === null ? blank.name : `${blank.name}[${element}]`, blank, element });
    if (!blank.repeats) return [row(blank.element)];
    let last = -1;
    for (const at of Object.keys(filled)) {
      const [name, element] = at.split('\n');
      if (name === blank.name && filled[at] !== '') last = Math.max(last, Number(element));
    }
    return Array.from({ length: last + 2 }, (_, element) => row(element));
  });
}

/** What is filled in, as the explorer takes it: elements of a row that repeats stand without a gap. */
export function given(blanks: BlankView[], filled: Filled): GivenField[] {
  const counts = new Map<string, number>();
  return rows(blanks, filled).flatMap(({ key, blank, element }) => {
    const text = filled[key] ?? '';
    if (text === '') return [];
    if (!blank.repeats) return [{ name: blank.name, element, text }];
    const at = counts.get(blank.name) ?? 0;
    counts.set(blank.name, at + 1);
    return [{ name: blank.name, element: at, text }];
  });
}

/** Closes the gaps that emptied inputs leave in what may be given several times. */
export function compact(blanks: BlankView[], filled: Filled): Filled {
  return fill(blanks, given(blanks, filled));
}

/** A form that is filled in with these fields. */
export function fill(blanks: BlankView[], fields: GivenField[]): Filled {
  const repeats = new Set(blanks.filter((blank) => blank.repeats).map((blank) => blank.name));
  // A single one of what may be given several times comes without a number.
  return Object.fromEntries(fields.map(({ name, element, text }) => [key(name, element ?? (repeats.has(name) ? 0 : null)), text]));
}

/** What an input takes, in a few words. */
export function hint({ kind, range, len, choices }: BlankView): string {
  const words = choices.length > 0 ? `, or ${choices.join(', ')}` : '';
  if (kind === 'number' && range) return `${range[0]} to ${range[1]}${words}`;
  if (kind === 'date') return '2024-05-01';
  if (kind === 'datetime') return '2024-05-01 12:30:00';
  if (kind === 'uuid') return '0x2A37';
  if (kind === 'bytes') return len === null ? '01 A0' : `${len} bytes, such as 01 A0`;
  if (kind === 'text' && len !== null) return `${len} bytes of text`;
  return '';
}
