import { expect, it } from 'vitest';

import { fieldColours } from './colours';

const fields = (...names: string[]) => names.map((name, index) => ({ name, colour: (index % 8) + 1 }));
const line = (name: string, colour: number, visible = true) => ({ name, colour, visible });

it('what is not drawn has colours in order', () => {
  expect(fieldColours(fields('a', 'b', 'c'), [])).toEqual([1, 2, 3]);
  expect(fieldColours(fields('a', 'b'), [line('a', 5, false)])).toEqual([1, 2]);
});

it('a field wears the colour of its line, and no other field does', () => {
  expect(fieldColours(fields('seq', 'acc[0]', 'acc[1]'), [line('acc[0]', 1), line('acc[1]', 3)])).toEqual([2, 1, 3]);
});

it('every place of a repeated field belongs to its one line', () => {
  expect(fieldColours(fields('flags', 'RR[0]', 'RR[1]'), [line('RR', 4)])).toEqual([1, 4, 4]);
});

it('goes on when all colours are worn', () => {
  const all = Array.from({ length: 8 }, (_, index) => line(`s${index}`, index + 1));
  expect(fieldColours(fields('other'), all)).toEqual([1]);
});
