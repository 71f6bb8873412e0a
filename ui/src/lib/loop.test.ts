import { describe, expect, it, vi } from 'vitest';

import { Loop } from './loop';

const turns = async (n: number) => {
  for (let i = 0; i < n; i++) await Promise.resolve();
};

describe('a loop', () => {
  it('runs one turn at a time, ends when it is not wanted and begins again', async () => {
    let [wanted, done, at] = [true, 0, 0];
    const loop = new Loop(() => wanted, async () => {
      at++;
      expect(at).toBe(1);
      await Promise.resolve();
      at--;
      done++;
    });
    loop.start();
    loop.start();
    await turns(50);
    expect(done).toBeGreaterThan(3);
    wanted = false;
    await turns(10);
    const before = done;
    await turns(50);
    expect(done).toBe(before);
    wanted = true;
    loop.start();
    await turns(50);
    expect(done).toBeGreaterThan(before);
    wanted = false;
  });
  it('goes on after a turn that failed, in a while', async () => {
    vi.useFakeTimers();
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    let left = 3;
    new Loop(() => left > 0, async () => {
      left--;
      await Promise.reject(new Error('no'));
    }).start();
    await vi.advanceTimersByTimeAsync(900);
    expect(left).toBe(1);
    await vi.advanceTimersByTimeAsync(900);
    expect(left).toBe(0);
    expect(said).toHaveBeenCalledTimes(3);
    vi.useRealTimers();
  });
});
