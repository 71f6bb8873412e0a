// The attribute tree as rows, and what the arrow keys do in it.
import type { AttributeView } from '../bindings/AttributeView';

export interface TreeRow {
  attribute: AttributeView;
  level: number;
  open: boolean;
  position: number;
  size: number;
  parent: string | null;
}

export function treeRows(services: AttributeView[], collapsed: (key: string) => boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  const walk = (list: AttributeView[], level: number, parent: string | null) => {
    list.forEach((attribute, index) => {
      const open = attribute.children.length > 0 && !collapsed(attribute.key);
      rows.push({ attribute, level, open, position: index + 1, size: list.length, parent });
      if (open) walk(attribute.children, level + 1, attribute.key);
    });
  };
  walk(services, 1, null);
  return rows;
}

export type TreeMove = { go: string } | { fold: string } | { unfold: string } | null;

export function treeKey(rows: TreeRow[], current: string | null, key: string): TreeMove {
  const at = rows.findIndex((row) => row.attribute.key === current);
  const row = rows[at];
  const go = (index: number): TreeMove => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, index))];
    return next ? { go: next.attribute.key } : null;
  };
  switch (key) {
    case 'ArrowDown': return go(at + 1);
    case 'ArrowUp': return go(at - 1);
    case 'Home': return go(0);
    case 'End': return go(rows.length - 1);
    case 'PageDown': return go(at + 10);
    case 'PageUp': return go(at - 10);
    case 'ArrowRight':
      if (!row || row.attribute.children.length === 0) return null;
      return row.open ? go(at + 1) : { unfold: row.attribute.key };
    case 'ArrowLeft':
      if (!row) return null;
      if (row.open) return { fold: row.attribute.key };
      return row.parent ? { go: row.parent } : null;
    default: return null;
  }
}
