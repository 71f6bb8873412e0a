import { describe, expect, it } from 'vitest';

import type { LogEntry } from '../bindings/LogEntry';
import { parseLogQuery } from './logQuery';

const at = (hour: number, minute: number) => new Date(2026, 0, 1, hour, minute).getTime();
const entry = (more: Partial<LogEntry>): LogEntry => ({ seq: 0, at_ms: at(14, 20), level: 'info', category: 'read', device: 'C4:7C', device_name: 'Pulse strap', operation: 'Read', attribute: 'Battery Level', detail: '87 %', problem: null, ...more });
const refused = entry({ operation: 'Write', category: 'write', problem: { code: 'att', message: 'Write refused. (0x03 Write Not Permitted)', hint: '', at: null } });

describe('the filter of the log', () => {
  const finds = (query: string, of = entry({})) => {
    const parsed = parseLogQuery(query);
    expect(parsed.error).toBe('');
    return parsed.matches(of);
  };
  it('takes words anywhere, all of them, in any case', () => {
    expect(finds('pulse BATTERY')).toBe(true);
    expect(finds('pulse missing')).toBe(false);
    expect(finds('"pulse strap"')).toBe(true);
    expect(finds('-battery')).toBe(false);
  });
  it('takes fields, any of several values', () => {
    expect(finds('op:read,write dev:strap attr:battery')).toBe(true);
    expect(finds('op:notify')).toBe(false);
    expect(finds('-op:notify dev:"pulse strap"')).toBe(true);
  });
  it('finds an ATT error by its code or its name, and nothing that succeeded', () => {
    expect(finds('att:0x03', refused)).toBe(true);
    expect(finds('att:permitted', refused)).toBe(true);
    expect(finds('att:0x03', entry({ detail: '0x03' }))).toBe(false);
  });
  it('takes times of the day', () => {
    expect(finds('after:14:19 before:14:21')).toBe(true);
    expect(finds('before:14:20')).toBe(false);
  });
  it('says what it cannot read, and where it knows better', () => {
    expect(parseLogQuery('colour:red').error).toBe('colour is not a field of the log. Fields: op, dev, attr, att, after, before.');
    expect(parseLogQuery('after:late').error).toBe('after needs a time, such as after:14:19.');
  });
});
