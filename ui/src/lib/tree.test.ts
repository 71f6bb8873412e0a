import { describe, expect, it } from 'vitest';

import type { AttributeView } from '../bindings/AttributeView';
import { treeKey, treeRows } from './tree';

const node = (key: string, children: AttributeView[] = []) => ({ key, children }) as AttributeView;
const services = [node('a', [node('a/1', [node('a/1/d')]), node('a/2')]), node('b')];

describe('the tree', () => {
  it('has a row for each attribute that is not folded away', () => {
    expect(treeRows(services, () => false).map((row) => row.attribute.key)).toEqual(['a', 'a/1', 'a/1/d', 'a/2', 'b']);
    expect(treeRows(services, (key) => key === 'a').map((row) => row.attribute.key)).toEqual(['a', 'b']);
  });
  it('goes, folds and unfolds by arrows', () => {
    const rows = treeRows(services, (key) => key === 'a/1');
    expect(treeKey(rows, 'a', 'ArrowRight')).toEqual({ go: 'a/1' });
    expect(treeKey(rows, 'a/1', 'ArrowRight')).toEqual({ unfold: 'a/1' });
    expect(treeKey(rows, 'a/1', 'ArrowLeft')).toEqual({ go: 'a' });
    expect(treeKey(rows, 'a', 'ArrowLeft')).toEqual({ fold: 'a' });
    expect(treeKey(rows, 'b', 'ArrowLeft')).toBeNull();
    expect(treeKey(rows, 'b', 'ArrowDown')).toEqual({ go: 'b' });
    expect(treeKey(rows, null, 'End')).toEqual({ go: 'b' });
  });
});
