// What can be done with an attribute, whatever of the window asks.
import type { AttributeView } from '../bindings/AttributeView';
import type { ValueView } from '../bindings/ValueView';

/** Whether its values come by themselves, be it from a device or out of a recording, where nothing can be subscribed. */
export function streams(a: Pick<AttributeView, 'properties'>): boolean {
  return a.properties.some((property) => property === 'notify' || property === 'indicate');
}

/** Why it cannot be plotted; null when it can. */
export function noPlot(a: Pick<AttributeView, 'kind' | 'actions'>, value: Pick<ValueView, 'at_ms'> | undefined, recorded: boolean): string | null {
  if (a.kind !== 'characteristic') return 'Plot is off: only characteristics are plotted.';
  if (recorded) return value?.at_ms ? null : 'Plot is off: no value of it was recorded.';
  return a.actions.subscribe !== null && a.actions.read !== null ? 'Plot is off: no value can come from here.' : null;
}
