import { describe, expect, it } from 'vitest';

import type { AttributeView } from '../bindings/AttributeView';
import { bleak } from './code';

const no = 'not offered';
const attribute = (more: Partial<AttributeView>, actions: Partial<AttributeView['actions']>) => ({ kind: 'characteristic', uuid: { uuid: '00002a19-0000-1000-8000-00805f9b34fb', short: '0x2A19', name: null }, handle: 42, instance: null, ...more, actions: { read: no, write: no, write_without: no, subscribe: no, max_write: 20, max_write_without: 20, ...actions } }) as unknown as AttributeView;

describe('lines for Bleak', () => {
  it('offer what the attribute offers and nothing else', () => {
    expect(bleak(attribute({}, { read: null, subscribe: null }), '01')).toBe('value = await client.read_gatt_char("00002a19-0000-1000-8000-00805f9b34fb")\nawait client.start_notify("00002a19-0000-1000-8000-00805f9b34fb", lambda _, data: print(data.hex(" ")))');
    expect(bleak(attribute({}, { write_without: null }), '01 02')).toContain('bytes.fromhex("01 02"), response=False)');
  });
  it('name an attribute by its handle where the UUID stands for several', () => {
    expect(bleak(attribute({ instance: [2, 3] }, { read: null }), '')).toBe('value = await client.read_gatt_char(42)');
    expect(bleak(attribute({ kind: 'descriptor' }, { write: null }), '00')).toBe('await client.write_gatt_descriptor(42, bytes.fromhex("00"))');
    expect(bleak(attribute({ kind: 'descriptor', handle: null }, { read: null }), '')).toBe('');
  });
});
