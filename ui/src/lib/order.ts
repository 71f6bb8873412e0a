// The order of the device list. Rows never move under the pointer or the focus: while the list is
// held, known rows keep their places and new ones wait.
import type { DeviceRow } from '../bindings/DeviceRow';

export type Sort = 'signal' | 'name' | 'last' | 'first';

const strength = (row: DeviceRow) => row.rssi ?? -999;

const compare: Record<Sort, (a: DeviceRow, b: DeviceRow) => number> = {
  // In steps of 6 dB, so that noise does not stir the list.
  signal: (a, b) => Math.round(strength(b) / 6) - Math.round(strength(a) / 6) || a.first_seen_ms - b.first_seen_ms,
  name: (a, b) => a.name.localeCompare(b.name) || a.first_seen_ms - b.first_seen_ms,
  last: (a, b) => Math.floor(b.last_seen_ms / 2000) - Math.floor(a.last_seen_ms / 2000) || a.first_seen_ms - b.first_seen_ms,
  first: (a, b) => a.first_seen_ms - b.first_seen_ms,
};

export function ordered(rows: Iterable<DeviceRow>, sort: Sort): string[] {
  return [...rows].sort((a, b) => Number(b.starred) - Number(a.starred) || compare[sort](a, b) || a.id.localeCompare(b.id)).map((row) => row.id);
}

export type Group = 'Connected' | 'Nearby' | 'Recently gone';

/** A row and where it stands. */
export interface Place {
  row: DeviceRow;
  group: Group;
}

const UP = new Set(['connected', 'connecting', 'disconnecting', 'recorded']);

/** The group of a row when it may move. */
export function groupOf(row: DeviceRow): Group {
  return UP.has(row.link) ? 'Connected' : row.gone ? 'Recently gone' : 'Nearby';
}

export function placed(rows: ReadonlyMap<string, DeviceRow>, sort: Sort): Place[] {
  return ordered(rows.values(), sort).flatMap((id) => {
    const row = rows.get(id);
    return row ? [{ row, group: groupOf(row) }] : [];
  });
}

/**
 * The places while the list is held: every row stays where it is, in the group it was in, even one
 * that went away (it turns grey); what is new waits and is counted.
 */
export function held(before: readonly Place[], rows: ReadonlyMap<string, DeviceRow>): { places: Place[]; waiting: number } {
  const known = new Set(before.map((place) => place.row.id));
  const places = before.map(({ row, group }) => ({ row: rows.get(row.id) ?? { ...row, gone: true }, group }));
  return { places, waiting: [...rows.keys()].filter((id) => !known.has(id)).length };
}
