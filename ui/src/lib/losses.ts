// The list of losses as the window has it: oldest first, each once, and what a filter leaves of it.
import type { LossesView } from '../bindings/LossesView';
import type { LossView } from '../bindings/LossView';

/** As many as the explorer keeps. */
export const KEPT = 5_000;

export const CAUSES: [string, string, string][] = [
  ['device', 'Device', 'The device’s own counter skipped: lost in the device or on the air'],
  ['queue', 'System', 'The queue of the system or its library overflowed'],
  ['gattscope', 'Gattscope', 'The recorder had no room, or could not write'],
  ['link', 'Link down', 'Nothing could come under a subscription; nobody knows how much that was'],
];

/** The list after news; one that is told again takes its own place. */
export function merged(list: LossView[], news: LossesView): LossView[] {
  const last = news.reset ? [] : list;
  const known = new Map(last.map((loss, index) => [loss.id, index]));
  const all = [...last];
  for (const loss of news.losses) {
    const place = known.get(loss.id);
    if (place === undefined) all.push(loss);
    else all[place] = loss;
  }
  return all.length > KEPT ? all.slice(all.length - KEPT) : all;
}

/** What passes the filter, newest first: causes that are hidden, one device or all. Of those after `upTo`, none. */
export function chosen(list: LossView[], hidden: Record<string, boolean>, device: string, upTo: number): LossView[] {
  return list.filter((loss) => loss.id <= upTo && !hidden[loss.cause] && (device === '' || loss.device === device)).reverse();
}

/** How many values are missing in all of them, as far as anybody knows. */
export function total(list: LossView[]): number {
  return list.reduce((sum, loss) => sum + (loss.count ?? 0), 0);
}
