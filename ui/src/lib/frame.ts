// The pump's binary frame, read without copying. The layout is documented in `explorer::frame`.
export interface Gap {
  from: number;
  to: number;
  count: number;
  /** 1 device sequence, 2 system queue, 3 Gattscope, 4 link down. */
  cause: number;
}

export interface SeriesFrame {
  id: number;
  last: number;
  samples: number;
  lost: number;
  lastAt: number;
  xs: Float64Array;
  ys: Float64Array;
  gaps: Gap[];
}

export interface Frame {
  revision: number;
  now: number;
  from: number;
  to: number;
  series: SeriesFrame[];
}

const MAGIC = 0x46535347;

export function readFrame(buffer: ArrayBuffer): Frame {
  const view = new DataView(buffer);
  if (buffer.byteLength < 48 || view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== 1) {
    throw new Error('not a frame of this version');
  }
  const whole = (at: number) => view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  const frame: Frame = {
    revision: whole(8),
    now: view.getFloat64(16, true),
    from: view.getFloat64(24, true),
    to: view.getFloat64(32, true),
    series: [],
  };
  let at = 48;
  for (let n = view.getUint32(40, true); n > 0; n--) {
    const points = view.getUint32(at + 4, true);
    const gaps = view.getUint32(at + 8, true);
    const xs = at + 48;
    const ys = xs + points * 8;
    const ends = ys + points * 8;
    const series: SeriesFrame = {
      id: view.getUint32(at, true),
      last: view.getFloat64(at + 16, true),
      samples: whole(at + 24),
      lost: whole(at + 32),
      lastAt: view.getFloat64(at + 40, true),
      xs: new Float64Array(buffer, xs, points),
      ys: new Float64Array(buffer, ys, points),
      gaps: [],
    };
    for (let g = 0; g < gaps; g++) {
      const place = ends + g * 24;
      series.gaps.push({
        from: view.getFloat64(place, true),
        to: view.getFloat64(place + 8, true),
        count: view.getUint32(place + 16, true),
        cause: view.getUint32(place + 20, true),
      });
    }
    frame.series.push(series);
    at = ends + gaps * 24;
  }
  return frame;
}

/** One table for a lane: the times of all its series, and for each series a value or nothing.
 * `undefined` joins the line across, `null` breaks it. */
export function joined(series: SeriesFrame[]): [number[], ...(number | null | undefined)[][]] {
  const places = series.map(() => 0);
  const times: number[] = [];
  const values: (number | null | undefined)[][] = series.map(() => []);
  for (;;) {
    let next = Infinity;
    for (let s = 0; s < series.length; s++) {
      const x = series[s]!.xs[places[s]!];
      if (x !== undefined && x < next) next = x;
    }
    if (next === Infinity) return [times, ...values];
    times.push(next);
    for (let s = 0; s < series.length; s++) {
      const one = series[s]!;
      const place = places[s]!;
      if (one.xs[place] === next) {
        const y = one.ys[place]!;
        values[s]!.push(Number.isNaN(y) ? null : y);
        places[s] = place + 1;
      } else {
        values[s]!.push(undefined);
      }
    }
  }
}

/** Values that no line reaches, because the line breaks on both sides: they need a dot to be seen. */
export function alone(values: readonly (number | null | undefined)[]): number[] {
  const found: number[] = [];
  let [last, joinedBefore] = [-1, false];
  values.forEach((value, index) => {
    if (value === undefined) return;
    if (value === null) {
      if (last >= 0 && !joinedBefore) found.push(last);
      [last, joinedBefore] = [-1, false];
    } else {
      joinedBefore = last >= 0;
      last = index;
    }
  });
  if (last >= 0 && !joinedBefore) found.push(last);
  return found;
}
