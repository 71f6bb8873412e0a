import { expect, test } from 'vitest';

import { caretUnder } from './caret';

test('the caret stands under the character, however long the line', () => {
  expect(caretUnder('a:u8, b:u9', 8)).toEqual({ line: 'a:u8, b:u9', column: 8 });
  const long = `${'a:u8, '.repeat(10)}b:u9`;
  const { line, column } = caretUnder(long, 62);
  expect([...line][column]).toBe('u');
  expect(line.startsWith('\u2026')).toBe(true);
});

test('characters are counted, not code units, and a place after the end is the end', () => {
  expect(caretUnder('\u{1F321}:u9', 2).column).toBe(2);
  expect([...caretUnder('\u{1F321}:u9', 2).line][2]).toBe('u');
  expect(caretUnder('a:', 9)).toEqual({ line: 'a:', column: 2 });
});
