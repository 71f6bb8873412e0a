import { expect, test } from 'vitest';

import type { DeviceTimeView } from '../bindings/DeviceTimeView';
import { caption, drift, lateness, sentences } from './deviceTime';

const clock: DeviceTimeView = { source: 'clock', state: 'settled', since_ms: new Date(2026, 1, 1, 13, 5, 9).getTime(), drift_ppm: 23.04, drift_within_ppm: 0.1, rate: null, residual_ms: 1.2, median_ms: 0.31, restarts: 0 };

test('drift has its sign, and none when there is nothing to say', () => {
  expect([23.04, -0.44, 0.02, -1500].map((ppm) => drift(ppm))).toEqual(['+23 ppm', '\u22120.4 ppm', '0.0 ppm', '\u22121500 ppm']);
});

test('drift that hangs on single values says so', () => {
  expect(drift(35.6, 29.3)).toBe('+36 ± 29 ppm');
  expect(drift(0.04, 81.1)).toBe('0 ± 81 ppm');
  expect(sentences({ ...clock, drift_within_ppm: 4 })).toContain('is 23 ± 4 ppm fast.');
});

test('lateness has the digits that say something', () => {
  expect([0, 0.314, 1.24, 250.4].map(lateness)).toEqual(['0.01 ms', '0.31 ms', '1.2 ms', '250 ms']);
});

test('a lane says how the clocks stand in a few words', () => {
  expect(caption(clock)).toBe('device time · drift +23 ppm · residual 1.2 ms');
  expect(caption({ ...clock, source: 'counter', drift_ppm: null, rate: 52.0012 })).toBe('device time · 52.00 counts/s · residual 1.2 ms');
  expect(caption({ ...clock, state: 'settling' })).toBe('device time · settling');
  expect(caption({ ...clock, state: 'misfit' })).toContain('does not fit');
});

test('the inspector says it in sentences', () => {
  expect(sentences(clock)).toBe("The device's clock is 23 ppm fast. Half of the values come within 0.31 ms of the quickest, 95 % within 1.2 ms. One line since 13:05:09, no restart.");
  expect(sentences({ ...clock, drift_ppm: -4.25, restarts: 2 })).toContain('is 4.3 ppm slow. Half');
  expect(sentences({ ...clock, drift_ppm: 0.01 })).toContain('runs as ours does.');
  expect(sentences({ ...clock, source: 'samples', drift_ppm: null, rate: 208.004 })).toContain("The device's number of samples goes up by 208.00 a second.");
  expect(sentences({ ...clock, state: 'misfit', restarts: 1200 })).toContain('began anew 1,200 times. Check its unit');
  expect(sentences({ ...clock, state: 'settling', drift_ppm: null })).toContain('being compared');
});
