import { describe, expect, it } from 'vitest';

import { bytesOf, hexOf, numberOf, textBytes, textOf, typeFor } from './typed';

const hex = (text: string) => hexOf(textBytes(text).bytes);

describe('typed text', () => {
  it('is its UTF-8, with escapes for what cannot be typed', () => {
    expect(hex('AT\\r\\n')).toBe('41 54 0D 0A');
    expect(hex('é\\t\\x00\\xfF\\\\')).toBe('C3 A9 09 00 FF 5C');
    expect(hex('\\\\n')).toBe('5C 6E');
    expect(hex('')).toBe('');
  });

  it('says where an escape is none', () => {
    expect(textBytes('ab\\q').wrong).toMatchObject({ at: 2 });
    expect(textBytes('é\\x4').wrong).toMatchObject({ at: 1 });
    expect(textBytes('é\\x4').wrong?.message).toContain('character 2');
    expect(textBytes('end\\').wrong?.at).toBe(3);
  });

  it('comes back from any bytes', () => {
    for (const bytes of ['41 54 0D 0A', 'C3 A9', 'FF 00 5C 09', 'C3', 'E2 80 AE 41', 'EF BB BF 41', 'F0 9F 98 80', 'ED A0 80']) {
      expect(hex(textOf(bytesOf(bytes)))).toBe(bytes);
    }
    expect(textOf(bytesOf('E2 80 AE'))).toBe('\\xE2\\x80\\xAE');
    expect(textOf(bytesOf('41 5C 0A'))).toBe('A\\\\\\n');
  });
});

describe('bytes as a number', () => {
  it('takes the wanted type where it fits, else an unsigned one of as many bytes', () => {
    expect(typeFor(2, 'i16be')).toBe('i16be');
    expect(typeFor(4, 'f32le')).toBe('f32le');
    expect(typeFor(3, 'i16be')).toBe('u24be');
    expect(typeFor(1, 'f64le')).toBe('u8');
    expect(typeFor(2, 'u8')).toBe('u16le');
    expect(typeFor(5, 'u8')).toBeNull();
    expect(typeFor(0, 'u8')).toBeNull();
  });

  it('keeps the value', () => {
    expect(numberOf(bytesOf('FE FF'), 'i16le')).toBe('-2');
    expect(numberOf(bytesOf('01 00'), 'u16be')).toBe('256');
    expect(numberOf(bytesOf('FF FF FF FF FF FF FF FF'), 'u64le')).toBe('18446744073709551615');
    expect(numberOf(bytesOf('FF'), 'i8')).toBe('-1');
    expect(numberOf(bytesOf('CD CC CC 3D'), 'f32le')).toBe('0.1');
    expect(numberOf(bytesOf('7F 80 00 00'), 'f32be')).toBe('inf');
    expect(numberOf(bytesOf('9A 99 99 99 99 99 B9 3F'), 'f64le')).toBe('0.1');
  });
});
