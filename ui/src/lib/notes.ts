// Which notes stand side by side: one for one thing that happened. The window hears of a failure
// from several sides (the command that failed, the radio, every device of an adapter), in any order.
import type { NoticeView } from '../bindings/NoticeView';

export interface Note extends NoticeView {
  key: number;
  /** Devices whose links the adapter took along, by name. */
  ended: string[];
}

/** How many stand at once; the oldest go. */
const KEPT = 4;
/** How long good news stands, ms: longer where it offers something to press. */
const GOOD = 6000;
const OFFERED = 12_000;

/** How long a note stands by itself, ms; null until somebody dismisses it. */
export function standsFor(note: Pick<NoticeView, 'severity' | 'action'>): number | null {
  return note.severity === 'info' ? (note.action ? OFFERED : GOOD) : null;
}

/** A note that the adapter in use is off or away. */
export function ofAdapter(note: NoticeView): boolean {
  return note.severity === 'bad' && note.device === null && (note.action === 'power_on' || note.action === 'look_again');
}

/** A note that a link ended because of the adapter. */
export function byAdapter(note: NoticeView): boolean {
  return note.problem.code === 'adapter_lost';
}

/** A note that nothing reaches the disk. */
export function ofRecording(note: NoticeView): boolean {
  return note.problem.code === 'recording_paused' || note.problem.code === 'not_recording';
}

/** Whether two notes tell of one failure. */
function same(a: NoticeView, b: NoticeView): boolean {
  if (a.title === b.title && a.device === b.device) return true;
  const [one, other] = [a.problem, b.problem];
  return one.message !== '' && one.code === other.code && one.message === other.message && (a.device === b.device || a.device === null || b.device === null);
}

/** The notes with one more; `name` says what a device is called. */
export function withNote(notes: readonly Note[], fresh: Note, name: (device: string) => string): Note[] {
  if (byAdapter(fresh) && fresh.device !== null) {
    const called = name(fresh.device);
    const adapter = notes.findLast(ofAdapter);
    // The adapter's own note speaks for all of its devices.
    if (adapter) return notes.map((note) => (note === adapter && !note.ended.includes(called) ? { ...note, ended: [...note.ended, called] } : note));
  }
  if (ofAdapter(fresh)) {
    const gone = notes.filter((note) => byAdapter(note) || ofAdapter(note));
    const ended = gone.flatMap((note) => (note.device === null ? note.ended : [name(note.device)]));
    const rest = notes.filter((note) => !gone.includes(note));
    return [...rest, { ...fresh, ended: [...new Set(ended)] }].slice(-KEPT);
  }
  // The one that offers something to do stays.
  if (!fresh.action && notes.some((note) => note.action && note.title !== fresh.title && same(note, fresh))) return [...notes];
  return [...notes.filter((note) => !same(note, fresh)), fresh].slice(-KEPT);
}
