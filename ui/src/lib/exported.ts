// What an export will write, in words: the range, the filter, how much.
import type { ContentsView } from '../bindings/ContentsView';
import type { CountView } from '../bindings/CountView';
import type { ExportRequest } from '../bindings/ExportRequest';
import { count } from './format';

/** The name of a kind of event as people read it. */
export function kindName(kind: string): string {
  const words = kind.replaceAll('_', ' ').replace('rssi', 'RSSI').replace('mtu', 'MTU');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A moment of the session, to the millisecond. */
export function seconds(at: number): string {
  return `${at.toFixed(3)} s`;
}

function range({ from, to }: ExportRequest): string {
  if (from === null && to === null) return 'the whole session';
  if (from === null) return `up to ${seconds(to ?? 0)}`;
  return to === null ? `from ${seconds(from)} on` : `${seconds(from)} to ${seconds(to)}`;
}

/** One by its name, several by their number. */
function chosen(names: string[], all: string, many: string): string {
  return names.length === 0 ? all : names.length === 1 ? names[0]! : `${count(names.length)} ${many}`;
}

/** The range and the filter of an export. */
export function filtered(request: ExportRequest, contents: ContentsView): string {
  const devices = request.devices.map((id) => contents.devices.find((one) => one.id === id)?.name ?? id);
  const attributes = request.attributes.map((of) => contents.attributes.find((one) => one.device === of.device && one.path === of.path)?.name ?? of.path);
  const parts = [range(request), chosen(devices, 'all devices', 'devices'), chosen(attributes, 'all characteristics', 'characteristics')];
  parts.push(request.kinds.length === 0 && request.format === 'fields' ? 'values that came' : chosen(request.kinds.map(kindName), 'all kinds of events', 'kinds of events'));
  if (request.containing.trim()) parts.push(`values with ${request.containing.trim()}`);
  return parts.join(', ');
}

/** Whether the window shows a session, null for whatever it shows: the one that is open, else the recording. */
export function isShown(session: string | null, open: string | null, recording: string | null): boolean {
  return session === null || session === (open ?? recording);
}

/** How much an export goes through; an estimate says that it is one. */
export function amount(counted: CountView, format: string): string {
  const many = counted.events === 1 ? (format === 'fields' ? 'value' : 'event') : format === 'fields' ? 'values' : 'events';
  const columns = counted.columns.length > 0 ? ` in ${count(counted.columns.length)} ${counted.columns.length === 1 ? 'column' : 'columns'}` : '';
  return `${counted.exact ? '' : 'About '}${count(counted.events)} ${many}${columns}${counted.exact ? '' : ' (estimated)'}`;
}
