// What is said of a device's clock: in a lane in a few words, in the inspector in a sentence.
import type { DeviceTimeView } from '../bindings/DeviceTimeView';
import { count, time } from './format';

const MINUS = '\u2212';

/** Parts in a million with their sign, and how far they are to be trusted where that is worth a word: +23 ppm, −0.4 ppm, +36 ± 29 ppm. */
export function drift(ppm: number, within: number | null = null): string {
  const vague = within !== null && within >= 1;
  const text = Math.abs(ppm).toFixed(Math.abs(ppm) < 10 && !vague ? 1 : 0);
  const sign = Number(text) === 0 ? '' : ppm < 0 ? MINUS : '+';
  return `${sign}${text}${vague ? ` ± ${within.toFixed(0)}` : ''} ppm`;
}

/** Milliseconds with the digits that say something; what is less than a hundredth is within one. */
export function lateness(ms: number): string {
  if (ms < 0.01) return '0.01 ms';
  return `${ms.toFixed(ms < 1 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

const UNITS: Record<string, string> = { counter: 'counts/s', samples: 'samples/s' };

function pace(view: DeviceTimeView): string {
  if (view.drift_ppm !== null) return `drift ${drift(view.drift_ppm, view.drift_within_ppm)}`;
  return view.rate === null ? '' : `${view.rate.toFixed(view.rate < 10 ? 3 : 2)} ${UNITS[view.source] ?? ''}`;
}

/** For a lane: device time · drift +23 ppm · residual 1.2 ms. */
export function caption(view: DeviceTimeView): string {
  if (view.state === 'misfit') return 'device time · does not fit, see the inspector';
  if (view.state === 'settling') return 'device time · settling';
  const residual = view.residual_ms === null ? '' : `residual ${lateness(view.residual_ms)}`;
  return ['device time', pace(view), residual].filter(Boolean).join(' · ');
}

const WHAT: Record<string, string> = { clock: 'clock', counter: 'counter', samples: 'number of samples' };

function runs(view: DeviceTimeView, what: string): string {
  if (view.drift_ppm === null) return `${what} goes up by ${view.rate?.toFixed(2)} a second.`;
  if (Math.abs(view.drift_ppm) < 0.05 && (view.drift_within_ppm ?? 0) < 1) return `${what} runs as ours does.`;
  return `${what} is ${drift(Math.abs(view.drift_ppm), view.drift_within_ppm).replace('+', '')} ${view.drift_ppm < 0 ? 'slow' : 'fast'}.`;
}

/** For the inspector. */
export function sentences(view: DeviceTimeView): string {
  const what = `The device's ${WHAT[view.source] ?? 'clock'}`;
  if (view.state === 'misfit') return `${what} does not run as the format says: it began anew ${count(view.restarts)} times. Check its unit and scale in the layout.`;
  if (view.state === 'settling' || view.residual_ms === null || view.median_ms === null) return `${what} is being compared with the arrivals. Ten seconds and 32 values tell its rate.`;
  const late = `Half of the values come within ${lateness(view.median_ms)} of the quickest, 95 % within ${lateness(view.residual_ms)}.`;
  const restarts = view.restarts === 0 ? 'no restart' : view.restarts === 1 ? '1 restart' : `${count(view.restarts)} restarts`;
  return `${runs(view, what)} ${late} One line since ${time(view.since_ms ?? 0).slice(0, 8)}, ${restarts}.`;
}
