// The state of the window: what the explorer told, and what the user chose to look at.
import type { AttributeView } from '../bindings/AttributeView';
import type { DeviceRow } from '../bindings/DeviceRow';
import type { DocumentView } from '../bindings/DocumentView';
import type { AdapterView } from '../bindings/AdapterView';
import type { ExportRequest } from '../bindings/ExportRequest';
import type { JobView } from '../bindings/JobView';
import type { Event } from '../bindings/Event';
import type { ExportView } from '../bindings/ExportView';
import type { FormatsFileView } from '../bindings/FormatsFileView';
import type { GattView } from '../bindings/GattView';
import type { LinkView } from '../bindings/LinkView';
import type { LogEntry } from '../bindings/LogEntry';
import type { LossView } from '../bindings/LossView';
import type { MarkView } from '../bindings/MarkView';
import type { NoticeView } from '../bindings/NoticeView';
import type { PairingView } from '../bindings/PairingView';
import type { Problem } from '../bindings/Problem';
import type { RadioView } from '../bindings/RadioView';
import type { RatesView } from '../bindings/RatesView';
import type { ReplayView } from '../bindings/ReplayView';
import type { RecordingView } from '../bindings/RecordingView';
import type { SeriesView } from '../bindings/SeriesView';
import type { SettingsView } from '../bindings/SettingsView';
import type { ValueView } from '../bindings/ValueView';
import type { Welcome } from '../bindings/Welcome';
import { streams } from '../lib/attribute';
import { bytes } from '../lib/format';
import { merged } from '../lib/losses';
import { ofAdapter, byAdapter, ofRecording, withNote, type Note } from '../lib/notes';
import { held, placed, type Place, type Sort } from '../lib/order';
import { Speech } from '../lib/speech';
import { host } from '../platform';

/** What the theme may be, and what that is called. */
export const THEMES = [['system', 'System'], ['light', 'Light'], ['dark', 'Dark']] as const;

export type View = 'explore' | 'scope' | 'log' | 'sessions' | 'doctor';

/** What a session is exported as: format, name, what it is for. */
export const FORMATS: [string, string, string][] = [['csv', 'CSV table', 'a row for each event'], ['fields', 'CSV of fields', 'a column for each field'], ['jsonl', 'JSON Lines', 'an object for each event'], ['pcapng', 'Capture', 'for Wireshark']];

const LOG_KEPT = 20_000;

export function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
}

export function problemOf(error: unknown): Problem {
  if (isProblem(error)) return error;
  return { code: 'internal', message: String(error), hint: 'The log says more.', at: null };
}

/** A question before something that cannot be taken back. */
export interface Confirmation {
  title: string;
  text: string;
  /** What the button says that does it. */
  action: string;
  /** It takes away what cannot be had again, and is red. */
  deletes?: true;
  run: () => void;
}

class App {
  welcome = $state.raw<Welcome | null>(null);
  radio = $state.raw<RadioView | null>(null);
  settings = $state.raw<SettingsView | null>(null);
  /** The session that is open in front of what is on the air. */
  document = $state.raw<DocumentView | null>(null);
  recording = $state.raw<RecordingView | null>(null);
  rates = $state.raw<RatesView>({ adverts: 0, notifications: 0, dropped: 0 });
  series = $state.raw<SeriesView[]>([]);
  marks = $state.raw<MarkView[]>([]);

  devices = new Map<string, DeviceRow>();
  /** Devices that are open in a tab and not in the list now, as they were last. */
  #unlisted = new Map<string, DeviceRow>();
  /** Steps when `devices` changed; the map itself is not reactive. */
  devicesChanged = $state(0);
  /** Steps when the devices were forgotten: another adapter, another filter. */
  devicesReset = $state(0);
  shown = $state(0);
  total = $state(0);

  links = $state.raw<Record<string, LinkView>>({});
  trees = $state.raw<Record<string, GattView>>({});
  values = $state.raw<Record<number, ValueView>>({});

  /** What was lost, oldest first. */
  losses = $state.raw<LossView[]>([]);
  /** How many older losses are in the file alone. */
  lossesHidden = $state(0);
  log = $state.raw<LogEntry[]>([]);
  logChanged = $state(0);
  notes = $state.raw<Note[]>([]);
  /** The session that plays as the radio. */
  replay = $state.raw<ReplayView | null>(null);
  /** Exports and imports that are under way. */
  jobs = $state.raw<JobView[]>([]);
  /** What the system asks to pair, oldest first. */
  questions = $state.raw<PairingView[]>([]);
  /** Devices that are being paired. */
  pairing = $state.raw<Record<string, boolean>>({});

  view = $state<View>('explore');
  /** Devices with a tab, in the order of their tabs. */
  tabs = $state.raw<string[]>([]);
  tab = $state<string | null>(null);
  /** The device that is only looked at. */
  preview = $state<string | null>(null);
  /** Selected attribute of each device, by its key, which outlives a reconnection. */
  selected = $state.raw<Record<string, string>>({});
  collapsed = $state.raw<Record<string, boolean>>({});
  palette = $state(false);
  settingsOpen = $state(false);
  /** The session, null for the recording, of which it is chosen what to export. */
  exporting = $state.raw<{ session: string | null } | null>(null);
  /** The session that is chosen in the list of sessions, while the list is shown. */
  chosen = $state<string | null>(null);
  /** A file of formats that was read, and not yet taken. */
  formatsFile = $state.raw<FormatsFileView | null>(null);
  lossesOpen = $state(false);
  /** What is asked before it is done. */
  confirm = $state.raw<Confirmation | null>(null);
  /** A file is being exported, or its name asked for. */
  saving = $state(false);
  /** Now, for ages; steps four times a second. */
  now = $state(Date.now());
  spoken = $state('');

  #notes = 0;
  #speech = new Speech((text) => (this.spoken = text), (run, ms) => void setTimeout(run, ms));

  /** Uses another adapter; asks first where that ends connections. */
  chooseAdapter(adapter: AdapterView): void {
    if (adapter.id === this.radio?.adapter) return;
    const use = () => void this.act('The adapter was not opened', 'choose_adapter', { id: adapter.id });
    this.#ending(`Use ${adapter.name}, ${adapter.simulated ? 'virtual devices' : adapter.stack}?`, 'Use it', use);
  }

  /** Does what ends every connection; asks first where there are any. */
  #ending(title: string, action: string, run: () => void): void {
    // The links of an open session are recorded: what is up is the radio's to say.
    const up = this.radio?.links_up ?? 0;
    if (up === 0) return run();
    this.confirm = { title, text: `${up === 1 ? 'A connection ends' : `${up} connections end`}, and the tabs of the devices close. What was recorded is kept.`, action, run };
  }

  /** Plays a session as the radio. */
  playSession(file: string, name: string): void {
    this.#ending(`Play ${name} in place of the radio?`, 'Play', () => {
      this.view = 'explore';
      void this.act('The session is not played', 'replay_session', { file });
    });
  }

  /** Uses a radio again in place of the session that plays. */
  leaveReplay(): void {
    this.#ending('Go back to the radio?', 'Go back', () => void this.act('The replay goes on', 'stop_replay'));
  }

  async start(): Promise<void> {
    this.welcome = await host.listen((event) => this.hear(event));
    setInterval(() => (this.now = Date.now()), 250);
  }

  hear(event: Event): void {
    switch (event.type) {
      case 'radio':
        // What a session shows is of no adapter; the session that closes clears it.
        if (this.radio && this.radio.opening !== event.opening && this.document === null) this.#otherAdapter();
        // What was said of an adapter that was off is settled.
        if (event.state === 'on') this.notes = this.notes.filter((note) => !ofAdapter(note) && !byAdapter(note));
        if (event.seeking && event.seeking.text !== this.radio?.seeking?.text) this.say(`Looking for ${event.seeking.text}`);
        this.radio = event;
        document.documentElement.dataset['ready'] = 'true';
        break;
      case 'document':
        this.#document(event.document);
        break;
      case 'devices':
        if (event.reset) {
          for (const id of this.devices.keys()) this.#unlist(id);
          this.devicesReset++;
        }
        for (const row of event.changed) {
          this.devices.set(row.id, row);
          this.#unlisted.delete(row.id);
        }
        for (const id of event.removed) this.#unlist(id);
        this.shown = event.shown;
        this.total = event.total;
        this.devicesChanged++;
        break;
      case 'link':
        this.#link(event);
        break;
      case 'gatt':
        this.trees = { ...this.trees, [event.device]: event };
        this.#forgetValues();
        this.#first(event.device);
        break;
      case 'values': {
        const values = { ...this.values };
        for (const value of event.values) values[value.attribute] = value;
        this.values = values;
        break;
      }
      case 'series':
        this.series = event.series;
        break;
      case 'marks':
        this.marks = event.marks;
        break;
      case 'recording':
        this.recording = event;
        // What was said of a recording that could not be written is settled.
        if (event.state === 'recording') this.notes = this.notes.filter((note) => !ofRecording(note));
        break;
      case 'losses':
        this.losses = merged(this.losses, event);
        this.lossesHidden = event.hidden;
        break;
      case 'rates':
        this.rates = event;
        break;
      case 'log':
        this.log.push(...event.entries);
        if (this.log.length > LOG_KEPT) this.log.splice(0, this.log.length - LOG_KEPT);
        this.logChanged++;
        break;
      case 'notice':
        this.note(event);
        break;
      case 'pairing':
        this.questions = [...this.questions.filter((q) => q.id !== event.id), ...(event.over ? [] : [event])];
        break;
      case 'settings':
        this.settings = event;
        this.#theme(event.theme);
        break;
      case 'replay':
        if (event.replay?.ended && this.replay && !this.replay.ended) this.say('The replay has ended');
        this.replay = event.replay;
        break;
      case 'jobs':
        this.jobs = event.jobs;
        break;
    }
  }

  /** Takes a device out of the list; what is open of it stays. */
  #unlist(id: string): void {
    const row = this.devices.get(id);
    if (row && (this.tabs.includes(id) || this.preview === id)) this.#unlisted.set(id, row);
    this.devices.delete(id);
  }

  /** What is known of a device, whether or not the filter lets it into the list. */
  row(id: string): DeviceRow | undefined {
    void this.devicesChanged;
    return this.devices.get(id) ?? this.#unlisted.get(id);
  }

  /** Values of attributes that no tree has any more: identifiers are new after each discovery. */
  #forgetValues(): void {
    const known = new Set(Object.keys(this.trees).flatMap((device) => this.attributes(device).map((a) => a.id)));
    this.values = Object.fromEntries(Object.entries(this.values).filter(([id]) => known.has(Number(id))));
  }

  /** Another opening knows other devices: the tabs of the last one are gone. */
  #otherAdapter(): void {
    [this.links, this.trees, this.values] = [{}, {}, {}];
    [this.tabs, this.tab, this.preview] = [[], null, null];
    this.#unlisted.clear();
  }

  /** A session is shown in place of what is on the air, or the other way round, or more of it was read. */
  #document(opened: DocumentView | null): void {
    const before = this.document;
    this.document = opened;
    if (before?.number === opened?.number) return;
    this.#otherAdapter();
    this.devices.clear();
    this.devicesReset++;
    this.devicesChanged++;
    [this.series, this.marks, this.log] = [[], [], []];
    this.logChanged++;
    if (opened) this.view = 'explore';
    this.say(opened ? `${opened.session.name} is open` : 'Live again');
  }

  /** Now, on the clock of what is shown: a session stands still at its end. */
  get clock(): number {
    return this.document?.end_ms ?? this.now;
  }

  /** When the seconds of what is shown began, Unix milliseconds. */
  get zero(): number {
    return this.document?.session.started_ms ?? this.welcome?.session_start_ms ?? 0;
  }

  #link(link: LinkView): void {
    const before = this.links[link.device];
    this.links = { ...this.links, [link.device]: link };
    if (!this.tabs.includes(link.device)) this.tabs = [...this.tabs, link.device];
    // Coming back by itself never takes the window over; only what somebody asked for is shown.
    if (this.#seeking && link.state === 'connecting' && before?.state !== 'connecting') this.show(link.device);
    // What was said of a lost link is settled. Of a link that was up all the time, behind a session, the rest still holds.
    if (link.state === 'connected' && before?.state !== 'connected') this.notes = this.notes.filter((note) => note.device !== link.device || (!before && note.action !== 'reconnect'));
    if (before?.state !== link.state) this.say(`${link.name} ${link.state}`);
    if (this.tab === null) this.tab = link.device;
  }

  /** A tree that nothing was chosen in yet opens at what most people came for. */
  #first(device: string): void {
    if (this.selected[device]) return;
    const characteristics = this.attributes(device).filter((a) => a.kind === 'characteristic');
    // In a session nothing can be subscribed; what could be most probably has values.
    const first = characteristics.find((a) => a.actions.subscribe === null || (this.document && streams(a))) ?? characteristics[0];
    if (first) this.select(device, first.key);
  }

  #theme(theme: string): void {
    const root = document.documentElement;
    if (theme === 'light' || theme === 'dark') root.dataset['theme'] = theme;
    else delete root.dataset['theme'];
  }

  /** Tells a screen reader, at most once in two seconds. */
  say(text: string): void {
    this.#speech.say(text);
  }

  note(notice: NoticeView): void {
    this.notes = withNote(this.notes, { ...notice, key: ++this.#notes, ended: [] }, (device) => this.name(device));
  }

  dismiss(key: number): void {
    this.notes = this.notes.filter((note) => note.key !== key);
  }

  /** Calls a command; a failure becomes a note. */
  async act<T = null>(title: string, command: string, args?: Record<string, unknown>, device: string | null = null): Promise<T | undefined> {
    try {
      return await host.call<T>(command, args);
    } catch (error) {
      this.#failed(title, problemOf(error), device);
      return undefined;
    }
  }

  #failed(title: string, problem: Problem, device: string | null): void {
    if (problem.code === 'cancelled') return;
    const action = problem.code === 'powered_off' ? 'power_on' : '';
    this.note({ severity: 'bad', title, problem, device: action ? null : device, action });
  }

  /** The attribute whose write editor is to have the focus as soon as it stands. */
  writing = $state.raw<number | null>(null);

  /** Whether the inspector shows an attribute now: it tells then how an operation ended. */
  inspects(device: string, key: string): boolean {
    return this.view === 'explore' && this.tab === device && this.selected[device] === key && this.settings?.panels['right'] !== 0;
  }

  /** Calls a command on an attribute. A failure is told by the inspector, or by a note that names what failed. */
  async operate(device: string, a: AttributeView, command: 'read' | 'subscribe' | 'unsubscribe' | 'plot', args: Record<string, unknown> = {}): Promise<void> {
    try {
      await host.call(command, { attribute: a.id, ...args });
    } catch (error) {
      const what = { read: 'was not read', subscribe: 'was not subscribed', unsubscribe: 'is still subscribed', plot: 'was not plotted' }[command];
      // A plot leaves no trace in the attribute itself.
      if (command === 'plot' || !this.inspects(device, a.key)) this.#failed(`${a.name} of ${this.name(device)} ${what}`, problemOf(error), device);
    }
  }

  /** Opens the tab of a device, or its preview. */
  show(device: string): void {
    this.view = 'explore';
    this.tab = device;
    if (!this.tabs.includes(device)) this.preview = device;
    else if (this.preview === device) this.preview = null;
  }

  /** Closes the session that is open, for what is done to devices on the air; whether none is open then. */
  async #live(): Promise<boolean> {
    if (!this.document) return true;
    if ((await this.act('The session stays open', 'close_session')) === undefined) return false;
    // The event that says so may come after the answer.
    this.#document(null);
    return true;
  }

  #seeking = false;

  /** Connects to whatever a name or an address stands for. */
  async seek(text: string): Promise<void> {
    if (!(await this.#live())) return;
    this.#seeking = true;
    await this.act(`“${text}” was not connected`, 'connect_to', { text });
    this.#seeking = false;
  }

  async connect(device: string): Promise<void> {
    const name = this.name(device);
    if (!(await this.#live())) return;
    this.show(device);
    this.notes = this.notes.filter((note) => note.device !== device);
    await this.act(`${name} did not connect`, 'connect', { device }, device);
  }

  async close(device: string): Promise<void> {
    this.tabs = this.tabs.filter((id) => id !== device);
    if (this.preview === device) this.preview = null;
    this.#unlisted.delete(device);
    if (this.tab === device) this.tab = this.tabs[this.tabs.length - 1] ?? null;
    // Of a session, a tab is only looked at: its device stays.
    if (this.document) return;
    const { [device]: gone, ...links } = this.links;
    const { [device]: tree, ...trees } = this.trees;
    if (tree) {
      this.trees = trees;
      this.#forgetValues();
    }
    if (gone) {
      this.links = links;
      await this.act('Closing failed', 'close_device', { device });
      if (gone.state === 'connected') this.note({ severity: 'info', title: `${gone.name} is disconnected`, problem: { code: '', message: 'Its tab was closed. What it sent stays in the recording.', hint: '', at: null }, device, action: 'reconnect' });
    }
  }

  async pair(device: string): Promise<void> {
    const name = this.name(device);
    if (!(await this.#live())) return;
    this.pairing = { ...this.pairing, [device]: true };
    const paired = await this.act(`${name} was not paired`, 'pair', { device }, device);
    this.pairing = { ...this.pairing, [device]: false };
    if (paired !== undefined) {
      this.notes = this.notes.filter((note) => note.action !== 'pair' || note.device !== device);
      this.say(`${name} paired`);
    }
  }

  /** Answers a question of pairing; one that was only shown goes with its answer. What is wrong with it is for the dialog to say. */
  async answer(question: PairingView, accept: boolean, passkey: string | null = null): Promise<Problem | null> {
    try {
      await host.call('answer_pairing', { id: question.id, accept, passkey });
    } catch (error) {
      return problemOf(error);
    }
    this.questions = this.questions.filter((q) => q.id !== question.id);
    return null;
  }

  /** Why something cannot be done with the radio in use; null when it can. */
  lacks(cap: string): string | null {
    const found = this.radio?.caps.find((c) => c.cap === cap);
    return found && found.support !== 'no' ? null : (found?.reason ?? 'No radio is in use.');
  }

  name(device: string): string {
    return this.links[device]?.name ?? this.row(device)?.name ?? device;
  }

  connected(device: string | null): boolean {
    return device !== null && this.links[device]?.state === 'connected';
  }

  /** Every attribute of a device, parents first. */
  attributes(device: string): AttributeView[] {
    const flat = (list: AttributeView[]): AttributeView[] => list.flatMap((a) => [a, ...flat(a.children)]);
    return flat(this.trees[device]?.services ?? []);
  }

  attribute(device: string | null): AttributeView | null {
    if (device === null) return null;
    const key = this.selected[device];
    return this.attributes(device).find((a) => a.key === key) ?? null;
  }

  select(device: string, key: string): void {
    this.selected = { ...this.selected, [device]: key };
  }

  /** Whether anything is drawn that a picture could show. */
  get drawn(): boolean {
    return this.series.some((series) => series.visible);
  }

  /** Asks what to export of the session that is chosen in the list, else of what is shown, unless something is being asked already. */
  chooseExport(): void {
    if (!this.palette && !this.confirm && this.questions.length === 0) this.exporting ??= { session: this.chosen };
  }

  /** Exports a session, the recording if none is named. */
  async exportSession(wanted: Partial<ExportRequest> & { format: string }): Promise<void> {
    const request: ExportRequest = { session: null, devices: [], attributes: [], kinds: [], from: null, to: null, containing: '', hold: false, ...wanted };
    await this.#export('Not exported', 'export', { request });
  }

  /** Reads a file of formats; what it would change is asked before anything changes. */
  async loadFormats(): Promise<void> {
    this.formatsFile = (await this.act<FormatsFileView | null>('The file was not read', 'read_formats')) ?? null;
  }

  async saveFormats(): Promise<void> {
    await this.#export('Not saved', 'export_formats', {});
  }

  async exportPicture(kind: 'png' | 'svg', from: number, to: number): Promise<void> {
    const light = getComputedStyle(document.documentElement).colorScheme === 'light' || matchMedia('(prefers-color-scheme: light)').matches;
    const theme = this.settings?.theme === 'system' || !this.settings ? (light ? 'light' : 'dark') : this.settings.theme;
    const series = this.series.filter((s) => s.visible).map((s) => s.id);
    const lanes = new Set(this.series.filter((s) => s.visible).map((s) => s.lane)).size;
    const request = { series, from, to, theme, width: 1200, height: Math.max(300, lanes * 180 + 80) };
    await this.#export('The picture was not exported', 'export_picture', { kind, request });
  }

  /** One at a time: on some systems the save dialog lets the window through. */
  async #export(title: string, command: string, args: Record<string, unknown>): Promise<void> {
    if (this.saving) {
      this.say('The save dialog is open');
      return;
    }
    this.saving = true;
    try {
      this.#exported(await this.act<ExportView | null>(title, command, args));
    } finally {
      this.saving = false;
    }
  }

  #exported(done: ExportView | null | undefined): void {
    if (!done) return;
    const rows = done.rows > 0 ? `${done.rows.toLocaleString('en-US')} rows, ` : '';
    this.note({
      severity: 'info',
      title: 'Exported',
      problem: { code: '', message: `${rows}${bytes(done.bytes)} in ${done.path}`, hint: [done.damaged ? 'The session is damaged; this is what stands before the damage.' : '', done.waiting > 0 ? `Recording is paused: ${done.waiting.toLocaleString('en-US')} events that wait in memory are not in it.` : ''].filter(Boolean).join(' '), at: null },
      device: null,
      action: '',
    });
  }
}

export const app = new App();

/** The device list: its order, which is held while the pointer or the focus is in it. */
class DeviceList {
  #sort = $state<Sort | null>(null);
  filter = $state('');
  problem = $state.raw<Problem | null>(null);
  held = $state(false);
  places = $state.raw<Place[]>([]);
  waiting = $state(0);
  #reset = 0;

  get sort(): Sort {
    return this.#sort ?? ((app.settings?.sort ?? 'signal') as Sort);
  }

  /** Sorts by something else from now on, in the next run too. */
  sortBy(sort: Sort): void {
    this.#sort = sort;
    this.update(true);
    void app.act('The order is not remembered', 'set_sort', { sort });
  }

  /** Works the order out anew, or keeps it where it is held. */
  update(sortNow = false): void {
    if (app.devicesReset !== this.#reset) {
      this.#reset = app.devicesReset;
      sortNow = true;
    }
    if (this.held && !sortNow && this.places.length > 0) {
      const kept = held(this.places, app.devices);
      this.places = kept.places;
      this.waiting = kept.waiting;
    } else {
      this.places = placed(app.devices, this.sort);
      this.waiting = 0;
    }
  }

  #typed: ReturnType<typeof setTimeout> | undefined;

  /** Filters when the typing pauses: half a word is seldom what was meant. */
  setFilter(text: string): void {
    this.filter = text;
    clearTimeout(this.#typed);
    this.#typed = setTimeout(() => void this.#apply(text), 200);
  }

  /** Filters at once by what was typed so far. */
  async filterNow(): Promise<void> {
    clearTimeout(this.#typed);
    await this.#apply(this.filter);
  }

  async #apply(text: string): Promise<void> {
    try {
      await host.call('set_filter', { text });
      this.problem = null;
      this.update(true);
    } catch (error) {
      this.problem = problemOf(error);
    }
  }
}

export const list = new DeviceList();
