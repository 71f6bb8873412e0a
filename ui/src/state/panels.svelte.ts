// The sizes of the panels: the design's, until somebody moves an edge. They are remembered.
import { host } from '../platform';
import { app } from './app.svelte';

export type PanelName = 'left' | 'right' | 'dock';

interface Bounds {
  start: number;
  least: number;
  most: number;
  collapsible: boolean;
}

export const BOUNDS: Record<PanelName, Bounds> = {
  left: { start: 320, least: 256, most: 480, collapsible: false },
  right: { start: 368, least: 312, most: 520, collapsible: true },
  dock: { start: 236, least: 120, most: 640, collapsible: true },
};

class Panels {
  /** While an edge moves; what is remembered comes back from the settings. */
  #moving = $state.raw<Partial<Record<PanelName, number>>>({});
  #keeping = new Set<PanelName>();
  #narrow = $state(false);
  #before: Partial<Record<PanelName, number>> = {};

  constructor() {
    // Below this width the style sheet says how wide the panels are.
    const query = matchMedia('(max-width: 1180px)');
    this.#narrow = query.matches;
    query.addEventListener('change', () => (this.#narrow = query.matches));
  }

  /** CSS pixels; 0 is collapsed. */
  size(panel: PanelName): number {
    const size = this.#moving[panel] ?? app.settings?.panels[panel] ?? BOUNDS[panel].start;
    if (size === 0) return 0;
    return this.#narrow && panel !== 'dock' ? BOUNDS[panel].least : size;
  }

  /** Moves an edge: within bounds, or shut when it is pushed far below the least. */
  move(panel: PanelName, size: number): void {
    const { least, most, collapsible } = BOUNDS[panel];
    const next = collapsible && size < least / 2 ? 0 : Math.round(Math.min(most, Math.max(least, size)));
    this.#moving = { ...this.#moving, [panel]: next };
  }

  /** Remembers where an edge was left. One call at a time: two that run at once may end in either order. */
  async keep(panel: PanelName): Promise<void> {
    if (this.#keeping.has(panel)) return;
    this.#keeping.add(panel);
    try {
      for (let size = this.#moving[panel]; size !== undefined; size = this.#moving[panel]) {
        await host.call('set_panel', { panel, size });
        if (this.#moving[panel] === size) this.#moving = { ...this.#moving, [panel]: undefined };
      }
    } finally {
      this.#keeping.delete(panel);
    }
  }

  /** Shuts a panel, or opens it as wide as it was. */
  async toggle(panel: PanelName): Promise<void> {
    const { start, collapsible } = BOUNDS[panel];
    if (!collapsible) return;
    const size = this.size(panel);
    if (size > 0) this.#before[panel] = size;
    this.#moving = { ...this.#moving, [panel]: size > 0 ? 0 : (this.#before[panel] ?? start) };
    await this.keep(panel);
  }
}

export const panels = new Panels();
