import { describe, expect, it } from 'vitest';

import { alone, joined, readFrame, type SeriesFrame } from './frame';

function frame(): ArrayBuffer {
  const buffer = new ArrayBuffer(48 + 48 + 4 * 8 + 24);
  const view = new DataView(buffer);
  view.setUint32(0, 0x46535347, true);
  view.setUint32(4, 1, true);
  view.setUint32(8, 7, true);
  [3, 1, 2].forEach((n, i) => view.setFloat64(16 + i * 8, n, true));
  view.setUint32(40, 1, true);
  view.setUint32(48, 5, true);
  view.setUint32(52, 2, true);
  view.setUint32(56, 1, true);
  view.setFloat64(64, -1, true);
  view.setUint32(72, 9, true);
  [1, 2, 10, NaN].forEach((n, i) => view.setFloat64(96 + i * 8, n, true));
  view.setFloat64(128, 1.25, true);
  view.setFloat64(136, 1.5, true);
  view.setUint32(144, 2, true);
  view.setUint32(148, 4, true);
  return buffer;
}

describe('the frame of the pump', () => {
  it('is read as it is documented', () => {
    const read = readFrame(frame());
    expect(read).toMatchObject({ revision: 7, now: 3, from: 1, to: 2 });
    const [series] = read.series;
    expect(series).toMatchObject({ id: 5, last: -1, samples: 9 });
    expect([...series!.xs]).toEqual([1, 2]);
    expect(series!.gaps).toEqual([{ from: 1.25, to: 1.5, count: 2, cause: 4 }]);
  });
  it('is refused when it is something else', () => {
    expect(() => readFrame(new ArrayBuffer(8))).toThrow();
    expect(() => readFrame(new ArrayBuffer(64))).toThrow();
  });
});

describe('series of one lane', () => {
  const series = (xs: number[], ys: number[]) =>
    ({ xs: Float64Array.from(xs), ys: Float64Array.from(ys) }) as SeriesFrame;
  it('are joined by time; a break is null and a time of another series is nothing', () => {
    expect(joined([series([1, 2, 4], [10, NaN, 40]), series([2, 3], [20, 30])])).toEqual([
      [1, 2, 3, 4],
      [10, null, undefined, 40],
      [undefined, 20, 30, undefined],
    ]);
  });
});

describe('values that stand alone', () => {
  it('are those with a break on both sides, whatever other series have between', () => {
    expect(alone([1, undefined, 2, null, undefined, 3, undefined, null, 4, 5, null, 6])).toEqual([5, 11]);
    expect(alone([null, undefined])).toEqual([]);
    expect(alone([7])).toEqual([0]);
  });
});
