// The scope: what range is shown, and the loop that pulls frames, one at a time.
import type { StatisticsView } from '../bindings/StatisticsView';
import { readFrame, type Frame } from '../lib/frame';
import { host } from '../platform';
import { app } from './app.svelte';

/** How long a frame may wait for news; a picture that follows time moves all the same. */
const PATIENCE = 100;

class Scope {
  /** Seconds of the session shown, unless paused. */
  span = $state(10);
  /** Start of the range while paused; null follows. */
  from = $state<number | null>(null);
  statistics = $state.raw<StatisticsView[]>([]);
  /** The newest frame; drawn outside reactivity. */
  frame: Frame | null = null;
  /** Frames drawn since the start; tests and the curious read it. */
  frames = 0;
  pixels = 800;

  #drawers = new Set<(frame: Frame) => void>();
  #running = false;

  get paused(): boolean {
    return this.from !== null;
  }

  /** Draws with every frame from now on; returns how to stop. */
  draw(drawer: (frame: Frame) => void): () => void {
    this.#drawers.add(drawer);
    if (this.frame) drawer(this.frame);
    void this.#run();
    return () => this.#drawers.delete(drawer);
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    let counted = 0;
    while (this.#drawers.size > 0) {
      const visible = app.series.filter((series) => series.visible).map((series) => series.id);
      if (visible.length > 0 && !document.hidden) {
        try {
          const frame = readFrame(
            await host.pump({
              series: visible,
              from: this.from,
              span: this.span,
              pixels: Math.round(this.pixels * devicePixelRatio),
              seen: this.paused ? (this.frame?.revision ?? 0) : 0,
              patience_ms: PATIENCE,
            }),
          );
          this.frame = frame;
          this.frames++;
          for (const drawer of this.#drawers) drawer(frame);
          if (performance.now() - counted > 500) {
            counted = performance.now();
            this.statistics = await host.call<StatisticsView[]>('statistics', { series: visible, from: frame.from, to: frame.to });
          }
        } catch (error) {
          console.error(error);
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
      } else {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    this.#running = false;
  }

  toggle(): void {
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

  live(span: number): void {
    this.span = span;
    this.from = null;
  }
}

export const scope = new Scope();
