import { describe, expect, it } from 'vitest';

import type { DeviceRow } from '../bindings/DeviceRow';
import { held, ordered, placed } from './order';

const row = (id: string, rssi: number | null, more: Partial<DeviceRow> = {}) =>
  ({ id, name: id, rssi, starred: false, first_seen_ms: 0, last_seen_ms: 0, ...more }) as DeviceRow;

describe('the order of devices', () => {
  it('is by signal in steps, stars first', () => {
    const rows = [row('far', -90), row('near', -50), row('near2', -51, { first_seen_ms: -1 }), row('star', -99, { starred: true })];
    expect(ordered(rows, 'signal')).toEqual(['star', 'near2', 'near', 'far']);
    expect(ordered(rows, 'name')).toEqual(['star', 'far', 'near', 'near2']);
  });
  const table = (...rows: DeviceRow[]) => new Map(rows.map((one) => [one.id, one]));
  const shape = (places: ReturnType<typeof placed>) => places.map(({ row: { id }, group }) => `${id} ${group}`);

  it('holds known rows in place and counts the new ones', () => {
    const before = placed(table(row('a', -40), row('b', -60), row('c', -80)), 'signal');
    const kept = held(before, table(row('c', -30), row('d', -20), row('a', -90), row('b', -60)));
    expect(shape(kept.places)).toEqual(['a Nearby', 'b Nearby', 'c Nearby']);
    expect(kept.places[2]?.row.rssi).toBe(-30);
    expect(kept.waiting).toBe(1);
  });
  it('keeps a row that went away where it was, grey, while it is held', () => {
    const before = placed(table(row('a', -40), row('b', -60)), 'signal');
    const kept = held(before, table(row('b', -60)));
    expect(shape(kept.places)).toEqual(['a Nearby', 'b Nearby']);
    expect(kept.places[0]?.row.gone).toBe(true);
  });
  it('moves no row to another group while it is held', () => {
    const before = placed(table(row('a', -40, { link: 'none' }), row('b', -60, { link: 'none' })), 'signal');
    const now = table(row('a', -40, { link: 'none' }), row('b', -60, { link: 'connecting' }));
    expect(shape(held(before, now).places)).toEqual(['a Nearby', 'b Nearby']);
    expect(shape(placed(now, 'signal'))).toEqual(['a Nearby', 'b Connected']);
  });
});
