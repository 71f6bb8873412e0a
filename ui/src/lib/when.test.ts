import { describe, expect, it } from 'vitest';

import { when } from './when';

describe('when', () => {
  it('tells a moment as a clock on the wall does', () => {
    expect(when(new Date(2026, 1, 1, 13, 5, 59).getTime())).toBe('2026-02-01 13:05');
    expect(when(new Date(2026, 10, 21, 0, 0, 0).getTime())).toBe('2026-11-21 00:00');
  });
});
