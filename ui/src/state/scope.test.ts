import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { DocumentView } from '../bindings/DocumentView';
import type { RecordingView } from '../bindings/RecordingView';
import type { Welcome } from '../bindings/Welcome';

vi.mock('../platform', () => ({ host: {} }));
vi.stubGlobal('matchMedia', () => ({ matches: false }));

const { app } = await import('./app.svelte');
const { scope } = await import('./scope.svelte');

describe('the scope', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_100_000 });
    app.welcome = { session_start_ms: 1_000_000 } as Welcome;
    app.recording = { since_ms: 1_060_000 } as RecordingView;
    app.document = null;
    scope.begin(null);
  });
  afterEach(() => vi.useRealTimers());

  it('goes on with time while it follows, on the screen or not', () => {
    expect(scope.range).toEqual([90, 100]);
    vi.setSystemTime(1_105_000);
    expect(scope.range).toEqual([95, 105]);
    scope.from = 20;
    vi.setSystemTime(1_200_000);
    expect(scope.range).toEqual([20, 30]);
  });

  it('exports on the clock of the recording, which begins later than the program', () => {
    expect(scope.exported).toEqual([30, 40]);
    scope.from = 55;
    expect(scope.exported).toEqual([0, 5]);
  });

  it('stands in a session: its range is its own, its last seconds end with it', () => {
    app.document = { session: { started_ms: 500_000, duration_s: 60 } } as DocumentView;
    scope.begin(60);
    expect([scope.range, scope.exported]).toEqual([[0, 60], [0, 60]]);
    scope.toggle();
    expect(scope.range).toEqual([0, 60]);
    scope.live(10);
    expect(scope.exported).toEqual([50, 60]);
  });
});
