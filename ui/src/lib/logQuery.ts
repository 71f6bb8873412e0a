// The filter of the log: words, and fields such as `op:read`, over what is in view. Its grammar is that of the
// device filter (`explorer::filter`) with other fields.
import type { LogEntry } from '../bindings/LogEntry';

export interface LogQuery {
  matches(entry: LogEntry): boolean;
  /** What is wrong with it; empty when nothing is. */
  error: string;
}

type Test = (entry: LogEntry) => boolean;

const everything: LogQuery = { matches: () => true, error: '' };

function terms(text: string): string[] {
  return text.match(/-?(?:\w+:)?(?:"[^"]*"|[^\s"]+)+/g) ?? [];
}

/** Seconds of the day; null when it is no time. */
function timeOfDay(text: string): number | null {
  const m = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,3})?))?$/.exec(text);
  if (!m || Number(m[1]) > 23 || Number(m[2]) > 59) return null;
  return Number(m[1]) * 3600 + Number(m[2]) * 60 + Number(m[3] ?? 0);
}

function dayOf(unixMs: number): number {
  const d = new Date(unixMs);
  return d.getHours() * 3600 + d.getMinutes() * 60 + d.getSeconds() + d.getMilliseconds() / 1000;
}

const has = (text: string | null | undefined, part: string) => (text ?? '').toLowerCase().includes(part);

function field(name: string, values: string[]): Test | string {
  switch (name) {
    case 'op':
      return (e) => values.some((v) => has(e.operation, v) || e.category === v);
    case 'dev':
      return (e) => values.some((v) => has(e.device_name, v) || has(e.device, v));
    case 'attr':
      return (e) => values.some((v) => has(e.attribute, v));
    case 'att':
      return (e) => e.problem !== null && values.some((v) => has(e.problem?.message, v) || has(e.detail, v));
    case 'after':
    case 'before': {
      const limit = timeOfDay(values[0] ?? '');
      if (limit === null) return `${name} needs a time, such as ${name}:14:19.`;
      return name === 'after' ? (e) => dayOf(e.at_ms) >= limit : (e) => dayOf(e.at_ms) < limit;
    }
    default:
      return `${name} is not a field of the log. Fields: op, dev, attr, att, after, before.`;
  }
}

/** Reads a query. Terms must all match; `-` excludes; a comma means any of several. */
export function parseLogQuery(text: string): LogQuery {
  const tests: Test[] = [];
  for (const raw of terms(text.trim())) {
    const negative = raw.startsWith('-') && raw.length > 1;
    const term = negative ? raw.slice(1) : raw;
    const m = /^(\w+):(.*)$/s.exec(term);
    let test: Test | string;
    if (m) {
      const values = (m[2] ?? '').split(',').map((v) => v.replaceAll('"', '').trim().toLowerCase()).filter((v) => v !== '');
      if (values.length === 0) continue;
      test = field((m[1] ?? '').toLowerCase(), values);
    } else {
      const word = term.replaceAll('"', '').toLowerCase();
      test = (e) =>
        has(e.device_name, word) || has(e.operation, word) || has(e.attribute, word) || has(e.detail, word) || has(e.problem?.message, word);
    }
    if (typeof test === 'string') return { ...everything, error: test };
    const positive = test;
    tests.push(negative ? (e) => !positive(e) : positive);
  }
  return { matches: (entry) => tests.every((test) => test(entry)), error: '' };
}
