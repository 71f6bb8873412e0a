import { describe, expect, it } from 'vitest';

import { compose, type NumberPick } from './layout';

const pick: NumberPick = {
  name: '', kind: 'int', signed: true, bits: 16, big: false, skip: 0, scale: '', offset: '', unit: '',
};

describe('the number picker', () => {
  it('composes the shortest layout that says it', () => {
    expect(compose(pick)).toBe('value:i16le');
    expect(compose({ ...pick, bits: 8, signed: false, scale: '1', offset: '0' })).toBe('value:u8');
  });
  it('has a place for offset, scale and unit', () => {
    const full: NumberPick = { ...pick, name: 'temp', skip: 4, scale: '0.01', offset: '-40', unit: '°C', big: true };
    expect(compose(full)).toBe('_:skip[4], temp:i16be*0.01-40 °C');
    expect(compose({ ...pick, kind: 'float', bits: 64, offset: '2' })).toBe('value:f64le+2');
  });
});
