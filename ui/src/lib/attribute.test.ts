import { describe, expect, it } from 'vitest';

import { noPlot, streams } from './attribute';

const actions = (subscribe: string | null, read: string | null) => ({ read, write: null, write_without: null, subscribe, max_write: 20, max_write_without: 20 });

describe('an attribute', () => {
  it('streams by its properties, which a recording has too', () => {
    expect(streams({ properties: ['read', 'indicate'] })).toBe(true);
    expect(streams({ properties: ['notify'] })).toBe(true);
    expect(streams({ properties: ['read', 'write'] })).toBe(false);
  });

  it('is plotted where a value can come, or was recorded', () => {
    expect(noPlot({ kind: 'characteristic', actions: actions(null, 'No.') }, undefined, false)).toBeNull();
    expect(noPlot({ kind: 'characteristic', actions: actions('No.', null) }, undefined, false)).toBeNull();
    expect(noPlot({ kind: 'characteristic', actions: actions('No.', 'No.') }, undefined, false)).toMatch(/no value can come/);
    expect(noPlot({ kind: 'characteristic', actions: actions('No.', 'No.') }, { at_ms: 5 }, true)).toBeNull();
    expect(noPlot({ kind: 'characteristic', actions: actions(null, null) }, undefined, true)).toMatch(/was recorded/);
    expect(noPlot({ kind: 'descriptor', actions: actions(null, null) }, { at_ms: 5 }, true)).toMatch(/only characteristics/);
  });
});
