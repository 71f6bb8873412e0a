import { describe, expect, it } from 'vitest';

import type { DeviceRow } from '../bindings/DeviceRow';
import { held, ordered } from './order';

const row = (id: string, rssi: number | null, more: Partial<DeviceRow> = {}) =>
  ({ id, name: id, rssi, starred: false, first_seen_ms: 0, last_seen_ms: 0, ...more }) as DeviceRow;

describe('the order of devices', () => {
  it('is by signal in steps, stars first', () => {
    const rows = [row('far', -90), row('near', -50), row('near2', -51, { first_seen_ms: -1 }), row('star', -99, { starred: true })];
    expect(ordered(rows, 'signal')).toEqual(['star', 'near2', 'near', 'far']);
    expect(ordered(rows, 'name')).toEqual(['star', 'far', 'near', 'near2']);
  });
  it('holds known rows in place and counts the new ones', () => {
    expect(held(['a', 'b', 'c'], ['c', 'd', 'a'])).toEqual({ order: ['a', 'c'], waiting: 1 });
  });
});
