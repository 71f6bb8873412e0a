import { expect, test } from 'vitest';

import { bytesLabel, placeLabel, rowsOf } from './fields';

test('bytes are named from the first to the last', () => {
  expect(bytesLabel([3, 4])).toBe('byte 3');
  expect(bytesLabel([3, 6])).toBe('bytes 3\u20135');
  expect(bytesLabel([6, 6])).toBe('at byte 6');
});

test('a field that is there and wrong takes a second row', () => {
  expect(rowsOf([{ problem: '', value: '1' }, { problem: 'missing', value: '' }, { problem: 'reserved', value: '9' }])).toBe(4);
});

test('bits are told with the byte that they are of', () => {
  expect(placeLabel({ bytes: [3, 4], bits: 'bit 7' })).toBe('byte 3 bit 7');
  expect(placeLabel({ bytes: [3, 4], bits: '' })).toBe('byte 3');
});
