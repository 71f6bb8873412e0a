// The scope: what range is shown, the cursors, and the loop that pulls frames, one at a time.
import type { StatisticsView } from '../bindings/StatisticsView';
import { readFrame, type Frame } from '../lib/frame';
import { Loop, sleep } from '../lib/loop';
import { host } from '../platform';
import { app } from './app.svelte';

/** How long a frame may wait for news; a picture that follows time moves all the same. */
const PATIENCE = 100;
/** How often the numbers below the picture are worked out, ms. */
const MEASURED = 500;

const still = matchMedia('(prefers-reduced-motion: reduce)');

export type CursorName = 'a' | 'b';

class Scope {
  /** Seconds of the session shown, unless paused. */
  span = $state(10);
  /** Start of the range while paused; null follows. */
  from = $state<number | null>(null);
  /** Where the cursors stand, seconds of the session. */
  cursors = $state.raw<Record<CursorName, number | null>>({ a: null, b: null });
  statistics = $state.raw<StatisticsView[]>([]);
  /** Values at the cursors, by series. */
  atCursor = $state.raw<Record<CursorName, Record<number, number | null>>>({ a: {}, b: {} });
  /** The newest frame; drawn outside reactivity. */
  frame: Frame | null = null;
  /** Frames drawn since the start; tests and the curious read it. */
  frames = 0;
  /** Width of the plots, CSS pixels. */
  pixels = 800;

  #asked = '';
  #drawers = new Set<(frame: Frame) => void>();
  #loops = {
    pull: new Loop(() => this.#drawers.size > 0, () => this.#pull()),
    measure: new Loop(() => this.#drawers.size > 0, () => this.#measure()),
  };

  get paused(): boolean {
    return this.from !== null;
  }

  /** What the picture shows, or would if it were on the screen: on the clock of the scope, seconds. */
  get range(): [number, number] {
    const from = this.from ?? (Date.now() - app.zero) / 1000 - this.span;
    return [from, from + this.span];
  }

  /** The same on the clock of the session that is exported: a recording begins later than the program, a session that is open has its own. */
  get exported(): [number, number] {
    const [from, to] = this.range;
    const before = app.document || !app.recording ? 0 : (app.recording.since_ms - app.zero) / 1000;
    return [Math.max(0, from - before), Math.max(0, to - before)];
  }

  /** Marks now; while the picture stands, its end: that is what is looked at. */
  mark(text: string): void {
    if (app.document) return app.say('A recording is only looked at');
    const at = this.paused ? this.range[1] : null;
    void app.act('Not marked', 'mark', { text, at }).then((done) => done !== undefined && app.say(at === null ? 'Marked' : 'Marked the end of the picture'));
  }

  /** Draws with every frame from now on; returns how to stop. */
  draw(drawer: (frame: Frame) => void): () => void {
    this.#drawers.add(drawer);
    if (this.frame) drawer(this.frame);
    this.#loops.pull.start();
    this.#loops.measure.start();
    return () => this.#drawers.delete(drawer);
  }

  /** Draws the last frame again: a cursor moved. */
  redraw(): void {
    if (this.frame) for (const drawer of this.#drawers) drawer(this.frame);
  }

  #visible(): number[] {
    return app.series.filter((series) => series.visible).map((series) => series.id);
  }

  async #pull(): Promise<void> {
    const series = this.#visible();
    if (series.length === 0 || document.hidden) return sleep(200);
    const [from, span, pixels] = [this.from, this.span, Math.round(this.pixels * devicePixelRatio)];
    // A picture that stands is due again when there is news; another picture is due at once.
    const asked = `${from} ${span} ${pixels} ${series.join()}`;
    const seen = this.paused && asked === this.#asked ? (this.frame?.revision ?? 0) : 0;
    this.#asked = asked;
    const answer = await host.pump({ series, from, span, pixels, seen, patience_ms: PATIENCE });
    this.frame = readFrame(answer);
    this.frames++;
    this.redraw();
    if (still.matches) await sleep(1000);
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }

  /** Beside the frames, so that a long range that takes its time to measure delays none. */
  async #measure(): Promise<void> {
    const [frame, series] = [this.frame, this.#visible()];
    if (frame && series.length > 0 && !document.hidden) {
      this.statistics = await host.call<StatisticsView[]>('statistics', { series, from: frame.from, to: frame.to });
      this.atCursor = { a: await this.#at('a', series), b: await this.#at('b', series) };
    }
    await sleep(MEASURED);
  }

  async #at(cursor: CursorName, series: number[]): Promise<Record<number, number | null>> {
    const t = this.cursors[cursor];
    if (t === null) return {};
    const values = await host.call<(number | null)[]>('values_at', { series, t });
    return Object.fromEntries(series.map((id, index) => [id, values[index] ?? null]));
  }

  /** Puts a cursor at a moment, or takes it away. */
  place(cursor: CursorName, at: number | null): void {
    this.cursors = { ...this.cursors, [cursor]: at };
    this.redraw();
  }

  /** Both cursors into the picture, which stops for it, or both away. */
  toggleCursors(): void {
    if (this.cursors.a !== null || this.cursors.b !== null) this.cursors = { a: null, b: null };
    else if (this.frame) {
      const { from, to } = this.frame;
      this.from ??= from;
      this.cursors = { a: from + (to - from) / 3, b: from + ((to - from) * 2) / 3 };
    }
    this.redraw();
  }

  toggle(): void {
    if (app.document) return app.say('A recording stands: there is nothing to pause');
    this.from = this.paused ? null : (this.frame?.from ?? null);
  }

  zoom(factor: number): void {
    const span = Math.min(86_400, Math.max(0.01, this.span * factor));
    if (this.from !== null) this.from += (this.span - span) / 2;
    this.span = span;
  }

  /** Moves the range by a part of itself; a live picture stops there. */
  pan(part: number): void {
    const from = this.from ?? this.frame?.from ?? 0;
    this.from = from + part * this.span;
  }

  fit(): void {
    this.from = 0;
    this.span = Math.max(1, this.frame?.now ?? 10);
  }

  /** Begins with a session as a whole, or follows what comes. */
  begin(seconds: number | null): void {
    [this.from, this.span] = seconds === null ? [null, 10] : [0, Math.max(1, seconds)];
    [this.cursors, this.statistics, this.frame] = [{ a: null, b: null }, [], null];
  }

  /** The last seconds: of a session up to its end, else up to now, which goes on. */
  live(span: number): void {
    this.span = span;
    this.from = app.document ? app.document.session.duration_s - span : null;
  }
}

export const scope = new Scope();
