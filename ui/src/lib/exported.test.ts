import { describe, expect, it } from 'vitest';

import type { ContentsView } from '../bindings/ContentsView';
import type { ExportRequest } from '../bindings/ExportRequest';
import { amount, filtered, isShown, kindName } from './exported';

const contents: ContentsView = {
  name: 'bench',
  duration_s: 60,
  events: 1000,
  waiting: 0,
  devices: [{ id: 'F0:01', name: 'Virtual HR', events: 900 }, { id: 'F0:02', name: 'Beacon', events: 100 }],
  attributes: [{ device: 'F0:01', path: 'a#0/b#0', name: 'Battery Level', fields: ['Level (%)'] }],
  kinds: [],
};
const all: ExportRequest = { session: null, format: 'csv', devices: [], attributes: [], kinds: [], from: null, to: null, containing: '', hold: false };

describe('an export in words', () => {
  it('names the range and everything that is left out', () => {
    expect(filtered(all, contents)).toBe('the whole session, all devices, all characteristics, all kinds of events');
    const some = { ...all, devices: ['F0:01'], attributes: [{ device: 'F0:01', path: 'a#0/b#0' }], kinds: ['read_result', 'notification'], from: 1.5, to: 2, containing: ' 01 FF ' };
    expect(filtered(some, contents)).toBe('1.500 s to 2.000 s, Virtual HR, Battery Level, 2 kinds of events, values with 01 FF');
    expect(filtered({ ...all, devices: ['F0:01', 'F0:02'], from: 3 }, contents)).toBe('from 3.000 s on, 2 devices, all characteristics, all kinds of events');
    expect(filtered({ ...all, to: 3 }, contents)).toMatch(/^up to 3\.000 s,/);
  });

  it('says that fields are of values that came, unless told otherwise', () => {
    expect(filtered({ ...all, format: 'fields' }, contents)).toMatch(/values that came$/);
    expect(filtered({ ...all, format: 'fields', kinds: ['write_request'] }, contents)).toMatch(/Write request$/);
  });

  it('says of an estimate that it is one', () => {
    expect(amount({ events: 1, exact: true, columns: [] }, 'csv')).toBe('1 event');
    expect(amount({ events: 12345, exact: false, columns: [] }, 'pcapng')).toBe('About 12,345 events (estimated)');
    expect(amount({ events: 2, exact: true, columns: ['x'] }, 'fields')).toBe('2 values in 1 column');
  });

  it('takes what the scope shows from the session that it shows', () => {
    expect(isShown(null, 'old.gattscope', 'now.gattscope')).toBe(true);
    expect(isShown('old.gattscope', 'old.gattscope', 'now.gattscope')).toBe(true);
    expect(isShown('now.gattscope', 'old.gattscope', 'now.gattscope')).toBe(false);
    expect(isShown('now.gattscope', null, 'now.gattscope')).toBe(true);
    expect(isShown('old.gattscope', null, 'now.gattscope')).toBe(false);
    expect(isShown('old.gattscope', null, null)).toBe(false);
  });

  it('calls kinds by words', () => {
    expect(['notification_or_indication', 'rssi', 'mtu'].map(kindName)).toEqual(['Notification or indication', 'RSSI', 'MTU']);
  });
});
