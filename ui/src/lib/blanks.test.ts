import { expect, test } from 'vitest';

import type { BlankView } from '../bindings/BlankView';
import { compact, fill, given, hint, rows } from './blanks';

const blank = (name: string, more: Partial<BlankView> = {}): BlankView => ({ name, element: null, unit: '', kind: 'number', range: ['0', '255'], len: null, choices: [], required: true, repeats: false, ...more });
const FORM = [blank('Heart rate'), blank('RR interval', { repeats: true, required: false, range: ['0', '63999'] })];

test('what may be given several times has one input more than are filled in', () => {
  expect(rows(FORM, {}).map((row) => row.label)).toEqual(['Heart rate', 'RR interval[0]']);
  const filled = fill(FORM, [{ name: 'Heart rate', element: null, text: '72' }, { name: 'RR interval', element: 1, text: '793' }]);
  expect(rows(FORM, filled).map((row) => row.label)).toEqual(['Heart rate', 'RR interval[0]', 'RR interval[1]', 'RR interval[2]']);
});

test('elements are given without a gap, and what is empty is not given', () => {
  const filled = fill(FORM, [{ name: 'RR interval', element: 1, text: '793' }, { name: 'RR interval', element: 3, text: '800' }]);
  expect(given(FORM, filled)).toEqual([{ name: 'RR interval', element: 0, text: '793' }, { name: 'RR interval', element: 1, text: '800' }]);
});

test('a single one of what repeats is its first element', () => {
  expect(given(FORM, fill(FORM, [{ name: 'RR interval', element: null, text: '793' }]))).toEqual([{ name: 'RR interval', element: 0, text: '793' }]);
});

test('an input says what it takes', () => {
  expect(hint(blank('Temperature', { range: ['−273.15', '327.67'], choices: ['not known'] }))).toBe('−273.15 to 327.67, or not known');
  expect(hint(blank('Name', { kind: 'text', range: null }))).toBe('');
  expect(hint(blank('Key', { kind: 'bytes', range: null, len: 4 }))).toBe('4 bytes, such as 01 A0');
});

test('an emptied input in the middle leaves no gap', () => {
  const filled = fill(FORM, [{ name: 'RR interval', element: 0, text: '' }, { name: 'RR interval', element: 1, text: '793' }]);
  expect(rows(FORM, compact(FORM, filled)).map((row) => row.label)).toEqual(['Heart rate', 'RR interval[0]', 'RR interval[1]']);
});
