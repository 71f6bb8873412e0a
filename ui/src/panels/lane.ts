// One lane of the scope: a uPlot that draws its part of every frame, with gaps, marks and cursors.
import uPlot from 'uplot';

import type { SeriesView } from '../bindings/SeriesView';
import { fixed, scaleSplits, time, wallSplits } from '../lib/format';
import { alone, joined, type Frame, type SeriesFrame } from '../lib/frame';
import { app } from '../state/app.svelte';
import { scope, type CursorName } from '../state/scope.svelte';

/** What stands left and right of the plotted area, CSS pixels. */
export const INSET = { left: 44, right: 8 };
const AXIS = 20;
/** Least distance of two numbers of the scale, pixels. */
const TICK = 20;
/** Width of a digit of the time, pixels. */
const LETTER = 6.2;
const LINK_DOWN = 4;
/** With fewer points than this each gets a dot. */
const SPARSE = 80;

export interface Lane {
  series: SeriesView[];
  first: boolean;
  last: boolean;
}

/** A colour of the theme as the canvas takes it: light-dark() is resolved by an element. */
function colour(element: HTMLElement, name: string): string {
  const probe = element.appendChild(document.createElement('i'));
  probe.style.color = `var(${name})`;
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

function theme(): string {
  return `${document.documentElement.dataset['theme']} ${matchMedia('(prefers-color-scheme: dark)').matches}`;
}

function pad(low: number, high: number): [number, number] {
  // A value that stands still stands in the middle, among labels of its own size.
  if (low === high) return low === 0 ? [-1, 1] : [low - Math.abs(low) * 0.05, low + Math.abs(low) * 0.05];
  const air = Math.max((high - low) * 0.1, Math.max(Math.abs(low), Math.abs(high)) * 1e-6, 1e-9);
  return [low - air, high + air];
}

function stripes(ctx: CanvasRenderingContext2D, left: number, top: number, width: number, height: number): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.globalAlpha = 0.55;
  ctx.lineWidth = devicePixelRatio;
  const step = 7 * devicePixelRatio;
  ctx.beginPath();
  for (let x = left - height; x < left + width; x += step) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

/** Svelte action: draws the lane into an element for as long as that is there. */
export function lane(element: HTMLElement, given: Lane) {
  let current = given;
  let plot: uPlot | undefined;
  let mine: SeriesFrame[] = [];
  let range: [number, number] = [0, 1];
  let drawnIn = '';

  /** Why a line breaks: red stripes where values are lost, a grey band where the link was down. */
  function gaps(u: uPlot, bad: string, quiet: string): void {
    const { ctx, bbox } = u;
    const end = bbox.left + bbox.width;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px system-ui`;
    // Series of one attribute share their gaps; each is drawn once.
    const each = new Map(mine.flatMap((s) => s.gaps).map((gap) => [`${gap.cause} ${gap.from} ${gap.to} ${gap.count}`, gap]));
    for (const gap of each.values()) {
      const left = Math.max(bbox.left, u.valToPos(gap.from, 'x', true));
      const right = Math.min(end, Math.max(u.valToPos(gap.to, 'x', true), left + 2));
      if (right <= bbox.left || left >= end) continue;
      const down = gap.cause === LINK_DOWN;
      ctx.fillStyle = ctx.strokeStyle = down ? quiet : bad;
      ctx.globalAlpha = 0.16;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.globalAlpha = 1;
      if (!down) stripes(ctx, left, bbox.top, right - left, bbox.height);
      if (gap.count > 0 || down) {
        const text = down ? 'link down' : `${gap.count} lost`;
        const beside = right + 4 + ctx.measureText(text).width < end;
        ctx.textAlign = beside ? 'left' : 'right';
        ctx.fillText(text, beside ? right + 4 : left - 4, bbox.top + bbox.height - 6);
      }
    }
    ctx.restore();
  }

  function line(u: uPlot, at: number, stroke: string, dash: number[]): number | null {
    if (at < range[0] || at > range[1]) return null;
    const { ctx, bbox } = u;
    const x = Math.round(u.valToPos(at, 'x', true)) + 0.5;
    ctx.strokeStyle = stroke;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(dash.map((n) => n * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    return x;
  }

  function flag(u: uPlot, x: number, text: string, fill: string, ink: string, below: number): void {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    ctx.font = `600 ${11 * ratio}px system-ui`;
    const wide = ctx.measureText(text).width + 8 * ratio;
    const left = Math.min(x, bbox.left + bbox.width - wide);
    ctx.fillStyle = fill;
    ctx.fillRect(left, bbox.top + below, wide, 16 * ratio);
    ctx.fillStyle = ink;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'left';
    ctx.fillText(text, left + 4 * ratio, bbox.top + below + 8.5 * ratio);
  }

  /** Marks and cursors, over the lines. */
  function over(u: uPlot, looks: Record<'text' | 'raised' | 'accent' | 'fill', string>): void {
    const { ctx, bbox } = u;
    ctx.save();
    for (const mark of app.marks) {
      const x = line(u, mark.at, looks.text, []);
      if (x !== null && current.first) flag(u, x, mark.text, looks.raised, looks.text, bbox.height - 16 * devicePixelRatio);
    }
    for (const name of ['a', 'b'] as CursorName[]) {
      const at = scope.cursors[name];
      const x = at === null ? null : line(u, at, looks.accent, []);
      if (x !== null && current.first) flag(u, x, name.toUpperCase(), looks.fill, '#fff', 0);
    }
    ctx.restore();
  }

  function make(): void {
    plot?.destroy();
    const ink = (name: string) => colour(element, name);
    const [text, grid, bad] = [ink('--text-3'), ink('--grid'), ink('--bad-line')];
    const looks = { text: ink('--text-2'), raised: ink('--bg-raised'), accent: ink('--accent'), fill: ink('--accent-fill') };
    const zero = app.zero;
    const sparse = (u: uPlot) => (u.data[0]?.length ?? 0) < SPARSE;
    /** The time at each place; one that would run out of the picture is left out. */
    const label = (u: uPlot, at: number[]): string[] => {
      const digits = (at[1] ?? 1) - (at[0] ?? 0) < 0.999 ? 12 : 8;
      const end = u.bbox.width / devicePixelRatio - digits * LETTER / 2 + INSET.right;
      return at.map((t) => (!current.last || u.valToPos(t, 'x') > end ? '' : time(Math.round(zero + t * 1000)).slice(0, digits)));
    };
    const options: uPlot.Options = {
      width: element.clientWidth,
      height: element.clientHeight,
      legend: { show: false },
      cursor: { x: true, y: false, points: { show: false }, drag: { setScale: false, x: false, y: false } },
      padding: [4, INSET.right, current.last ? 0 : 4, 0],
      scales: {
        x: { time: false, range: () => range },
        y: { range: (_, low, high) => (low === null || high === null || !Number.isFinite(low) ? [0, 1] : pad(low, high)) },
      },
      axes: [
        // Every lane has the grid of the time; the last one tells it.
        { show: true, splits: (_u, _axis, low, high, step) => wallSplits(low, high, step, zero / 1000), stroke: text, font: '11px system-ui', size: current.last ? AXIS : 0, gap: 2, grid: { stroke: grid, width: 1 }, ticks: { show: false }, values: label, space: 90 },
        { stroke: text, font: '11px system-ui', size: INSET.left, gap: 4, grid: { stroke: grid, width: 1 }, ticks: { show: false }, splits: (u, _axis, low, high) => scaleSplits(low, high, Math.floor(u.bbox.height / devicePixelRatio / TICK)), values: (_, at) => at.map((v) => fixed(v, (at[1] ?? 1) - (at[0] ?? 0))) },
      ],
      series: [
        {},
        ...current.series.map((s): uPlot.Series => {
          const stroke = ink(`--s${s.colour}`);
          return {
            stroke,
            width: 1.25,
            dash: s.dashed ? [5, 3] : undefined,
            spanGaps: false,
            points: { show: sparse, size: 4, fill: stroke, filter: (u, index) => (sparse(u) ? null : alone(u.data[index] as (number | null | undefined)[])) },
          };
        }),
      ],
      hooks: { drawClear: [(u) => gaps(u, bad, text)], draw: [(u) => over(u, looks)] },
    };
    plot = new uPlot(options, [[], ...current.series.map(() => [])] as unknown as uPlot.AlignedData, element);
  }

  function draw(frame: Frame): void {
    if (!plot || theme() !== drawnIn) {
      drawnIn = theme();
      make();
    }
    mine = current.series.map((s) => frame.series.find((f) => f.id === s.id)).filter((f) => f !== undefined);
    if (mine.length !== current.series.length || !plot) return;
    range = [frame.from, frame.to];
    plot.setData(joined(mine) as unknown as uPlot.AlignedData);
  }

  const stop = scope.draw(draw);
  const resize = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height: element.clientHeight }));
  resize.observe(element);
  return {
    update(next: Lane) {
      const shape = (l: Lane) => `${l.first} ${l.last} ${l.series.map((s) => s.id).join()}`;
      const same = shape(next) === shape(current);
      current = next;
      if (!same) make();
    },
    destroy() {
      stop();
      resize.disconnect();
      plot?.destroy();
    },
  };
}
