// Numbers and times as they are shown: a real minus sign, fixed digits, no surprises.
import type { LinkView } from '../bindings/LinkView';
import type { Problem } from '../bindings/Problem';

const MINUS = '\u2212';

export function signed(value: number | null | undefined): string {
  if (value === null || value === undefined) return '';
  return value < 0 ? MINUS + Math.abs(value) : String(value);
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Codes of failures whose message names its cause behind a colon. */
const CAUSED = new Set(['att', 'os', 'pairing', 'no_service']);

/** Why something failed, for a row that has room for a few words: the cause alone where the message ends with it. */
export function reason(problem: Pick<Problem, 'code' | 'message'>): string {
  const colon = problem.message.indexOf(': ');
  return CAUSED.has(problem.code) && colon > 0 ? problem.message.slice(colon + 2).replace(/\.$/, '') : problem.message;
}

/** Age in the largest unit that fits: now, 6 s, 12 m. */
export function age(ms: number): string {
  if (ms < 1000) return 'now';
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m`;
  return `${Math.floor(s / 3600)} h`;
}

/** Whether what was heard of a device is too old to stand for now: several advertisements should have come since. */
export function stale(ageMs: number, intervalMs: number | null): boolean {
  return ageMs > Math.max(5000, 5 * (intervalMs ?? 0));
}

export function interval(ms: number | null): string {
  if (ms === null) return '';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

export function time(ms: number): string {
  const at = new Date(ms);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

export function since(ms: number | null): string {
  if (ms === null) return '';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(3)} s`;
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} kB`;
  return `${(size / 1024 / 1024).toFixed(1)} MB`;
}

export function handle(value: number | null): string {
  return value === null ? '' : `0x${value.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** A measured number with as many digits as say something over `span`. */
export function measured(value: number | null | undefined, span?: number): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (value === 0 && span === undefined) return '0';
  const scale = Math.max(span ?? Math.abs(value), 1e-12);
  const digits = Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(scale))));
  const text = Math.abs(value).toFixed(Math.abs(value) >= 1e6 ? 0 : digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** A number of a scale, with the digits that tell steps of `step` apart. */
export function fixed(value: number, step: number): string {
  const whole = (n: number) => Math.abs(n - Math.round(n)) < 1e-6 * Math.max(1, Math.abs(n));
  let digits = 0;
  while (digits < 9 && !(whole(step * 10 ** digits) && Math.abs(step) * 10 ** digits >= 0.999) && step !== 0) digits++;
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** When the next attempt to come back begins. */
export function retryText(link: Pick<LinkView, 'retry'>, now: number): string {
  const retry = link.retry;
  if (!retry) return 'Reconnecting';
  if (retry.at_ms === null) return 'Reconnects when the adapter is back';
  const s = Math.max(0, Math.ceil((retry.at_ms - now) / 1000));
  return `Reconnects in ${s} s, attempt ${retry.attempt} of ${retry.attempts}`;
}

/**
 * Places of a scale from `low` to `high` that has room for `most` of them: as many as there is room
 * for on round steps, but two at least, because one number tells no scale.
 */
export function scaleSplits(low: number, high: number, most: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const power = Math.floor(Math.log10(span)) + 1;
  let best: number[] = [];
  for (const exponent of [power, power - 1, power - 2]) {
    for (const factor of [5, 2, 1]) {
      const step = factor * 10 ** exponent;
      const splits: number[] = [];
      for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) splits.push(Number((n * step).toPrecision(12)));
      if (splits.length > Math.max(2, most) && best.length >= 2) return best;
      best = splits;
    }
  }
  return best;
}

/** Places of a time axis every `step` seconds, on whole steps of the clock on the wall: `zero` is its time at 0. */
export function wallSplits(low: number, high: number, step: number, zero: number): number[] {
  const splits: number[] = [];
  if (!(step > 0)) return splits;
  for (let n = Math.ceil((low + zero) / step - 1e-6); n * step - zero <= high && splits.length < 1000; n++) splits.push(n * step - zero);
  return splits;
}
