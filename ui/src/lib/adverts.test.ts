import { expect, test } from 'vitest';

import { chosen } from './adverts';

const parts = [
  { part: 'ad:01', payload: false },
  { part: 'company:0499/ruuvi-5', payload: true },
  { part: 'service:feaa', payload: true },
];

test('the first payload is looked at until another part is chosen', () => {
  expect(chosen(parts, null)).toBe(parts[1]);
  expect(chosen(parts, 'ad:01')).toBe(parts[0]);
  expect(chosen(parts.slice(0, 1), null)).toBe(parts[0]);
  expect(chosen([], 'ad:01')).toBeNull();
});

test('a payload stays chosen when it is read in another way', () => {
  expect(chosen(parts, 'company:0499')).toBe(parts[1]);
  expect(chosen(parts, 'service:feaa/eddystone-tlm')).toBe(parts[2]);
  expect(chosen(parts, 'company:004c')).toBe(parts[1]);
});
