import { describe, expect, it } from 'vitest';

import { PACES, paceText, place } from './replay';

describe('a place in a replay', () => {
  it('is as wide as the length of the recording needs it', () => {
    expect(place(0, 9.9)).toBe('00:00.0');
    expect(place(83.25, 600)).toBe('01:23.2');
    expect(place(83.25, 7200)).toBe('0:01:23.2');
    expect(place(7199.96, 7200)).toBe('1:59:59.9');
  });
  it('does not fall a tenth behind for a fraction that a double cannot hold', () => {
    expect(place(0.3 - 1e-12, 1)).toBe('00:00.3');
    expect(place(-5, 1)).toBe('00:00.0');
  });
});

describe('a pace', () => {
  it('is a number of times, or has no number', () => {
    expect(PACES.map(paceText)).toEqual(['0.1×', '0.5×', '1×', '2×', '5×', '10×', '100×', 'As fast as it can']);
  });
});
