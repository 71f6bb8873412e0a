import { describe, expect, it } from 'vitest';

import { standsFor, withNote, type Note } from './notes';

let keys = 0;
const note = (title: string, more: Partial<Note> & { code?: string; message?: string } = {}): Note => {
  const { code = 'att', message = '', ...rest } = more;
  return { severity: 'bad', title, problem: { code, message, hint: '', at: null }, device: null, action: '', key: ++keys, ended: [], ...rest };
};
const all = (...notes: Note[]) => notes.reduce<Note[]>((list, one) => withNote(list, one, (device) => `device ${device}`), []);
const titles = (list: Note[]) => list.map((one) => one.title);

describe('notes', () => {
  it('one failure is one note, the one that offers something, in either order', () => {
    const refused = note('State of Door lock was not read', { message: 'The device refused.', device: 'a' });
    const offer = note('State asks for pairing', { message: 'The device refused.', device: 'a', action: 'pair', severity: 'warn' });
    expect(titles(all(refused, offer))).toEqual(['State asks for pairing']);
    expect(titles(all(offer, refused))).toEqual(['State asks for pairing']);
  });

  it('the same failure of two devices is two notes', () => {
    expect(all(note('one', { message: 'No answer.', device: 'a' }), note('other', { message: 'No answer.', device: 'b' }))).toHaveLength(2);
  });

  it('two things without a message are not the same', () => {
    expect(all(note('one', { code: '', severity: 'info' }), note('other', { code: '', severity: 'info' }))).toHaveLength(2);
  });

  it('an adapter that goes off is one note, which names the devices that went with it, in any order', () => {
    const off = () => note('Bluetooth is not available', { code: 'powered_off', message: 'Off.', action: 'power_on' });
    const lost = (device: string) => note(`${device} disconnected`, { code: 'adapter_lost', message: 'Went off.', device });
    for (const list of [all(lost('a'), off(), lost('b')), all(off(), lost('a'), lost('b')), all(lost('a'), lost('b'), off())]) {
      expect(titles(list)).toEqual(['Bluetooth is not available']);
      expect(list[0]?.ended).toEqual(['device a', 'device b']);
    }
  });

  it('a command that fails because the adapter is off does not say so once more', () => {
    const off = note('Bluetooth is not available', { code: 'powered_off', message: 'Off.', action: 'power_on' });
    expect(titles(all(off, note('The scan did not start', { code: 'powered_off', message: 'Off.' })))).toEqual(['Bluetooth is not available']);
  });

  it('the same thing again takes the place of what stood', () => {
    const list = all(note('Exported', { severity: 'info', message: 'One.' }), note('Exported', { severity: 'info', message: 'Two.' }));
    expect(list.map((one) => one.problem.message)).toEqual(['Two.']);
  });

  it('only good news goes by itself', () => {
    expect(standsFor(note('Exported', { severity: 'info' }))).toBeGreaterThan(1000);
    expect(standsFor(note('Closed', { severity: 'info', action: 'reconnect' }))).toBeGreaterThan(standsFor(note('Exported', { severity: 'info' }))!);
    expect(standsFor(note('Failed'))).toBeNull();
    expect(standsFor(note('Asks', { severity: 'warn' }))).toBeNull();
  });
});
