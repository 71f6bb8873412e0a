import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { DocumentView } from '../bindings/DocumentView';
import type { Event } from '../bindings/Event';
import type { LinkView } from '../bindings/LinkView';
import type { RadioView } from '../bindings/RadioView';

const { call } = vi.hoisted(() => ({ call: vi.fn() }));
vi.mock('../platform', () => ({ host: { call } }));
vi.stubGlobal('document', { documentElement: { dataset: {} } });

const { app } = await import('./app.svelte');

const radio = (more: Partial<RadioView>): Event => ({ type: 'radio', adapters: [], adapter: 'replay:bench', opening: 1, links_up: 0, stack: '', simulated: true, fallback: null, state: 'on', scanning: false, seeking: null, passive: false, caps: [], ...more });
const link = (device: string, state: string): Event => ({ type: 'link', device, name: device, address: device, state, since_ms: 0, deadline_ms: null, paired: null, mtu: null, rssi: null, parameters: null, unexpected: false, retry: null, auto_reconnect: true, problem: null } satisfies { type: 'link' } & LinkView);
const opened = (number: number): Event => ({ type: 'document', document: { number, session: { file: 'bench.gattscope', name: 'bench', duration_s: 60 }, end_ms: 60_000, part: 1, problem: null } as DocumentView });
const closed: Event = { type: 'document', document: null };

describe('the window', () => {
  beforeEach(() => {
    call.mockReset().mockResolvedValue(null);
    app.hear(closed);
    app.hear(radio({ opening: 0 }));
    app.hear(radio({}));
    [app.notes, app.confirm, app.view] = [[], null, 'explore'];
  });

  it('forgets the devices of an adapter that is opened anew, under the same name too', () => {
    app.hear(link('a', 'connected'));
    app.hear(radio({ scanning: true }));
    expect(app.tabs).toEqual(['a']);
    app.hear(radio({ opening: 2 }));
    expect([app.tabs, app.links]).toEqual([[], {}]);
  });

  it('keeps what an open session shows when the adapter behind it changes', () => {
    app.hear(opened(1));
    app.hear(link('a', 'recorded'));
    app.hear(radio({ adapter: 'hci1', opening: 3 }));
    expect(app.tabs).toEqual(['a']);
    app.hear(closed);
    expect(app.tabs).toEqual([]);
  });

  it('keeps notes of devices while a session is open, and settles those of lost links after it', () => {
    const note = (title: string, action: string) => app.note({ severity: 'warn', title, problem: { code: title, message: title, hint: '', at: null }, device: 'a', action });
    note('lost', 'reconnect');
    note('asks', 'pair');
    app.hear(opened(3));
    app.hear(link('a', 'recorded'));
    expect(app.notes.map((one) => one.title)).toEqual(['lost', 'asks']);
    app.hear(closed);
    app.hear(link('a', 'connected'));
    expect(app.notes.map((one) => one.title)).toEqual(['asks']);
  });

  it('closes the session before it does anything to a device', async () => {
    for (const [run, command] of [[() => app.connect('a'), 'connect'], [() => app.pair('a'), 'pair'], [() => app.seek('a'), 'connect_to']] as const) {
      app.hear(opened(4));
      call.mockClear();
      await run();
      expect(call.mock.calls.map(([name]) => name)).toEqual(['close_session', command]);
      expect(app.document).toBeNull();
    }
    app.hear(opened(5));
    call.mockReset().mockRejectedValue({ code: 'busy', message: 'Not now.', hint: '', at: null });
    await app.connect('a');
    expect(call.mock.calls.map(([name]) => name)).toEqual(['close_session']);
    expect(app.document).not.toBeNull();
  });

  it('stays in the view in which a session closes', () => {
    app.hear(opened(6));
    expect(app.view).toBe('explore');
    app.view = 'log';
    app.hear(closed);
    expect(app.view).toBe('log');
  });

  it('asks before connections end, those behind an open session too', () => {
    app.playSession('bench.gattscope', 'bench');
    expect(app.confirm).toBeNull();
    app.hear(opened(2));
    app.hear(radio({ links_up: 2 }));
    call.mockClear();
    app.playSession('bench.gattscope', 'bench');
    expect(app.confirm!.text).toMatch(/^2 connections end/);
    expect(call).not.toHaveBeenCalled();
  });
});
