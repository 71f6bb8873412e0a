// What a script would say to do what the window does: lines for Bleak, the Python library that most people script with.
import type { AttributeView } from '../bindings/AttributeView';

/** Python for the operations that an attribute offers, one line for each; `value` is hex to write. */
export function bleak(a: AttributeView, value: string): string {
  // One UUID may stand for several attributes; a handle stands for one.
  const which = a.kind === 'descriptor' || (a.instance && a.handle !== null) ? String(a.handle) : `"${a.uuid.uuid}"`;
  if (a.kind === 'descriptor' && a.handle === null) return '';
  const kind = a.kind === 'descriptor' ? 'descriptor' : 'char';
  const bytes = `bytes.fromhex("${value}")`;
  const lines: string[] = [];
  if (a.actions.read === null) lines.push(`value = await client.read_gatt_${kind}(${which})`);
  if (kind === 'descriptor') {
    if (a.actions.write === null) lines.push(`await client.write_gatt_descriptor(${which}, ${bytes})`);
    return lines.join('\n');
  }
  if (a.actions.write === null) lines.push(`await client.write_gatt_char(${which}, ${bytes}, response=True)`);
  if (a.actions.write_without === null) lines.push(`await client.write_gatt_char(${which}, ${bytes}, response=False)`);
  if (a.actions.subscribe === null) lines.push(`await client.start_notify(${which}, lambda _, data: print(data.hex(" ")))`);
  return lines.join('\n');
}
