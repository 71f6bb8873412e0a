import { describe, expect, it } from 'vitest';

import { age, bytes, duration, fixed, handle, interval, measured, reason, retryText, scaleSplits, signed, stale, wallSplits } from './format';

describe('numbers as they are shown', () => {
  it('has a real minus sign and never a minus zero', () => {
    expect(signed(-58)).toBe('\u221258');
    expect(measured(-0.001, 100)).toBe('0');
    expect(measured(-0.704, 1)).toBe('\u22120.70');
    expect(measured(null)).toBe('–');
  });
  it('writes the numbers of a scale with the digits that its steps need', () => {
    expect([95, 100, -5].map((v) => fixed(v, 5))).toEqual(['95', '100', '\u22125']);
    expect([0.2, 0.1 + 0.2, -0.04].map((v) => fixed(v, 0.1))).toEqual(['0.2', '0.3', '0.0']);
    expect(fixed(3, 0)).toBe('3');
    expect([0.25, 0.5].map((v) => fixed(v, 0.25))).toEqual(['0.25', '0.50']);
    expect(fixed(97.5, 2.5)).toBe('97.5');
  });
  it('puts the places of a time axis on whole steps of the wall clock', () => {
    expect(wallSplits(0, 3, 1, 1_000.75).map((t) => t + 1_000.75)).toEqual([1_001, 1_002, 1_003]);
    expect(wallSplits(0, 1, 0, 5)).toEqual([]);
  });
  it('tells ages and intervals in the largest unit that fits', () => {
    expect([age(0), age(6400), age(720_000), age(7_200_000)]).toEqual(['now', '6 s', '12 m', '2 h']);
    expect([interval(182.4), interval(1285), interval(null)]).toEqual(['182 ms', '1.28 s', '']);
    expect(duration(751_000)).toBe('00:12:31');
  });
  it('counts down to the next attempt', () => {
    const retry = { attempt: 2, attempts: 20, at_ms: 10_000 };
    expect(retryText({ retry }, 8_500)).toBe('Reconnects in 2 s, attempt 2 of 20');
    expect(retryText({ retry: { ...retry, at_ms: null } }, 0)).toBe('Reconnects when the adapter is back');
  });
  it('writes handles and sizes as engineers do', () => {
    expect(handle(18)).toBe('0x0012');
    expect(handle(null)).toBe('');
    expect(bytes(50_541_158)).toBe('48.2 MB');
  });
});

describe('places of a scale', () => {
  it('are at least two however small the lane is, and round', () => {
    expect(scaleSplits(95.4, 100.6, 1)).toEqual([96, 98, 100]);
    expect(scaleSplits(-2.3, 1.9, 2)).toEqual([-2, 0]);
    expect(scaleSplits(-60, -40, 2)).toEqual([-60, -40]);
    for (const [low, high] of [[0, 1], [0.1, 0.13], [-1e-6, 3e-6], [12.3, 12.9], [1e6, 1.1e6]] as const) {
      for (const most of [1, 2, 3, 6]) {
        const at = scaleSplits(low, high, most);
        expect(at.length).toBeGreaterThanOrEqual(2);
        expect(at.length).toBeLessThanOrEqual(Math.max(most, 2) + 3);
        expect(at.every((v) => v >= low - 1e-9 && v <= high + 1e-9)).toBe(true);
      }
    }
  });

  it('are as many as there is room for', () => {
    expect(scaleSplits(0, 100, 6)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(scaleSplits(0, 100, 4)).toEqual([0, 50, 100]);
  });

  it('are none on a scale that has no length', () => {
    expect(scaleSplits(1, 1, 4)).toEqual([]);
    expect(scaleSplits(0, Infinity, 4)).toEqual([]);
  });
});

it('the reason of a failure stands alone where there is little room', () => {
  expect(reason({ code: 'att', message: 'The device refused: Insufficient Authentication (ATT 0x05).' })).toBe('Insufficient Authentication (ATT 0x05)');
  expect(reason({ code: 'timed_out', message: 'Reading: took longer than 3 s.' })).toBe('Reading: took longer than 3 s.');
});

it('what was heard is old when several advertisements should have come since', () => {
  expect(stale(4000, 100)).toBe(false);
  expect(stale(6000, 100)).toBe(true);
  expect(stale(9000, 2000)).toBe(false);
  expect(stale(11_000, 2000)).toBe(true);
  expect(stale(6000, null)).toBe(true);
});
