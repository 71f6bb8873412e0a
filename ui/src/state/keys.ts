// Keys that work anywhere. Those of a list, a tree or a plot are with it.
import { tick } from 'svelte';

import { app, type View } from './app.svelte';

const VIEWS: View[] = ['explore', 'scope', 'log', 'sessions', 'doctor'];
/** Where F6 goes, pane by pane: the first that is there of what each is for. */
const PANES = [['.bar [tabindex="0"]'], ['.replay button:not([tabindex="-1"])'], ['.panel.l [role=row][tabindex="0"]', '.panel.l input', '.panel.l button'], ['.main [role=treegrid] [tabindex="0"]', '.main .adv [role=row][tabindex="0"]', '.main [data-testid=scope]', '.main [role=grid]', '.main [tabindex="0"]', '.main button'], ['.main .dock [data-testid=scope]'], ['.panel.r #session-name', '.panel.r button'], ['.notes button']];

export function toggleScan(): void {
  const radio = app.radio;
  if (!radio || radio.state === 'none') return;
  if (radio.scanning) void app.act('The scan did not stop', 'stop_scan');
  else void app.act('The scan did not start', 'start_scan');
}

export function focusFilter(): void {
  document.querySelector<HTMLInputElement>('[data-filter]')?.focus();
}

const here = (selectors: string[]) => selectors.map((selector) => document.querySelector<HTMLElement>(selector)).find((pane) => pane !== null) ?? null;

/** Shows a view. A focus that went with the last one goes to the middle of this one. */
export function goTo(view: View): void {
  app.view = view;
  void tick().then(() => {
    if (document.activeElement && document.activeElement !== document.body) return;
    (here(PANES[3]!) ?? here(PANES[2]!) ?? document.querySelector<HTMLElement>(`[data-view="${view}"]`))?.focus();
  });
}

function nextPane(step: number): void {
  const all = PANES.map(here);
  const panes = all.filter((pane, index) => pane !== null && all.indexOf(pane) === index) as HTMLElement[];
  const frame = (element: Element | null) => element?.closest('.bar, .replay, .panel, .dock, .main, .notes') ?? null;
  const at = panes.findIndex((pane) => frame(pane) === frame(document.activeElement));
  // From nowhere to the first, or back to the last.
  panes[at < 0 ? (step > 0 ? 0 : panes.length - 1) : (at + step + panes.length) % panes.length]?.focus();
}

export function shortcuts(event: KeyboardEvent): void {
  const control = event.ctrlKey || event.metaKey;
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement;
  // Tabs are reached by keys only where they are seen.
  const onTabs = app.view === 'explore' && !app.palette;
  if (control && event.key.toLowerCase() === 'k') app.palette = !app.palette;
  else if (control && event.key >= '1' && event.key <= '5') goTo(VIEWS[Number(event.key) - 1]!);
  else if (event.key === 'F5') toggleScan();
  else if (event.key === 'F6') nextPane(event.shiftKey ? -1 : 1);
  else if (control && event.key.toLowerCase() === 'e') app.chooseExport();
  else if (control && event.key.toLowerCase() === 'o') void app.act('Not opened', 'open_session_file');
  else if (control && event.shiftKey && event.key.toLowerCase() === 'r') void app.act('No new recording', 'new_recording');
  else if (control && event.key === ',') app.settingsOpen = !app.settingsOpen;
  else if (control && event.key.toLowerCase() === 'w' && app.tab && onTabs && !typing) void app.close(app.tab);
  else if (control && event.key === 'Tab' && onTabs) {
    const open = app.preview ? [...app.tabs, app.preview] : app.tabs;
    const at = open.indexOf(app.tab ?? '');
    app.tab = open[(at + (event.shiftKey ? open.length - 1 : 1)) % open.length] ?? null;
  } else if (event.key === '/' && !typing) focusFilter();
  else return;
  event.preventDefault();
}
