import { describe, expect, it } from 'vitest';

import type { LossView } from '../bindings/LossView';
import { chosen, KEPT, merged, total } from './losses';

const loss = (id: number, cause = 'device', count: number | null = 1, device: string | null = 'a'): LossView => ({ id, from_ms: id, to_ms: id, cause, device, device_name: 'A', attribute: 'k', attribute_name: 'K', count });
const ids = (list: LossView[]) => list.map((one) => one.id);

describe('the list of losses', () => {
  it('takes what is new, and what has grown in its own place', () => {
    let list = merged([], { reset: true, losses: [loss(1), loss(2, 'gattscope', 3)], hidden: 0 });
    list = merged(list, { reset: false, losses: [loss(2, 'gattscope', 9), loss(3)], hidden: 0 });
    expect(ids(list)).toEqual([1, 2, 3]);
    expect(list[1]!.count).toBe(9);
    expect(ids(merged(list, { reset: true, losses: [loss(7)], hidden: 4 }))).toEqual([7]);
  });

  it('is bounded', () => {
    const many = Array.from({ length: KEPT + 5 }, (_, id) => loss(id));
    const list = merged([], { reset: true, losses: many, hidden: 0 });
    expect(list.length).toBe(KEPT);
    expect(list[0]!.id).toBe(5);
  });

  it('is filtered by cause and device, newest first, and holds still where it is told to', () => {
    const list = [loss(1), loss(2, 'queue', 5), loss(3, 'link', null, 'b'), loss(4, 'gattscope', 2, null)];
    expect(ids(chosen(list, {}, '', Infinity))).toEqual([4, 3, 2, 1]);
    expect(ids(chosen(list, { queue: true }, 'a', Infinity))).toEqual([1]);
    expect(ids(chosen(list, {}, 'b', Infinity))).toEqual([3]);
    expect(ids(chosen(list, {}, '', 2))).toEqual([2, 1]);
    expect(total(list)).toBe(8);
  });
});
