// What the chosen device advertises, and which part of it is looked at.
import type { AdvertPart } from '../bindings/AdvertPart';
import type { AdvertView } from '../bindings/AdvertView';
import type { HistoryRow } from '../bindings/HistoryRow';
import type { SeriesView } from '../bindings/SeriesView';
import { chosen } from '../lib/adverts';
import { host } from '../platform';
import { app, problemOf } from './app.svelte';

class Adverts {
  view = $state.raw<AdvertView | null>(null);
  /** The part that the history of the view is of. */
  #told = $state<string | null>(null);
  /** Questions so far, and the newest that was answered. */
  #asked = 0;
  #answered = 0;
  /** The part that was chosen of each device. */
  #selected = $state.raw<Record<string, string>>({});
  /** Devices whose attributes are known and whose advertisement is looked at all the same. */
  #instead = $state.raw<Record<string, boolean>>({});

  /** Whether the page of a device shows what it advertises, not its attributes. */
  shows(device: string): boolean {
    return !app.trees[device] || (this.#instead[device] ?? false);
  }

  toggle(device: string): void {
    this.#instead = { ...this.#instead, [device]: !this.shows(device) };
  }

  /** Asks anew, for the part that is looked at too. An answer that comes after that of a later question says nothing. */
  async ask(device: string): Promise<void> {
    const question = ++this.#asked;
    const part = this.of(device)?.part || null;
    let view: AdvertView | null;
    try {
      view = await host.call<AdvertView>('advert', { device, part });
    } catch (error) {
      // Of a device that nobody hears any more nothing is known; otherwise what was heard still holds.
      if (problemOf(error).code !== 'unknown_device') return;
      view = null;
    }
    if (question < this.#answered || app.tab !== device) return;
    this.#answered = question;
    [this.view, this.#told] = [view, part];
  }

  /** The values of a part that are remembered, newest first; none until they were asked for. */
  history(part: string): readonly HistoryRow[] {
    return this.#told === part ? (this.view?.history ?? []) : [];
  }

  /** The part of a device that is looked at. */
  of(device: string | null): AdvertPart | null {
    if (device === null || this.view?.row.id !== device) return null;
    return chosen(this.view.parts, this.#selected[device] ?? null);
  }

  select(device: string, part: string): void {
    this.#selected = { ...this.#selected, [device]: part };
    void this.ask(device);
  }

  plotted(part: string): boolean {
    return this.view?.plotted.includes(part) ?? false;
  }

  /** The lines of a part. */
  series(device: string, part: string): SeriesView[] {
    return app.series.filter((s) => s.device === device && s.attribute === `advert/${part}`);
  }

  async plot(device: string, part: string, name: string): Promise<void> {
    const on = !this.plotted(part);
    try {
      await host.call('plot_advert', { device, part, on });
    } catch (error) {
      app.note({ severity: 'bad', title: `${name} of ${app.name(device)} was not plotted`, problem: problemOf(error), device, action: '' });
    }
    await this.ask(device);
  }
}

export const adverts = new Adverts();
