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

/** The order to show: `held` keeps its places; what is new waits and is counted. */
export function held(before: string[], fresh: string[]): { order: string[]; waiting: number } {
  const now = new Set(fresh);
  const order = before.filter((id) => now.has(id));
  return { order, waiting: fresh.length - order.length };
}
