import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { AdvertPart } from '../bindings/AdvertPart';
import type { AdvertView } from '../bindings/AdvertView';
import type { HistoryRow } from '../bindings/HistoryRow';
import type { Problem } from '../bindings/Problem';

/** Questions that wait for their answer, in the order in which they were put. */
const questions: { part: string | null; answer: (view: AdvertView) => void; refuse: (problem: Problem) => void }[] = [];
vi.mock('../platform', () => ({
  host: {
    call: (_: string, { part }: { part: string | null }) => new Promise<AdvertView>((answer, refuse) => questions.push({ part, answer, refuse })),
  },
}));
vi.stubGlobal('matchMedia', () => ({ matches: false }));

const { app } = await import('./app.svelte');
const { adverts } = await import('./adverts.svelte');

const ONE = 'company:0001';
const TWO = 'company:0002';
const view = (text: string) => ({ row: { id: 'd' }, parts: [ONE, TWO].map((part) => ({ part, payload: true }) as AdvertPart), plotted: [], history: [{ text } as HistoryRow] }) as unknown as AdvertView;
const texts = (part: string) => adverts.history(part).map((row) => row.text);
const settled = () => new Promise((done) => setTimeout(done));
const problem = (code: string) => ({ code, message: '', hint: '', at: null }) as Problem;

describe('what a device advertises', () => {
  beforeEach(async () => {
    app.tab = 'd';
    questions.length = 0;
    adverts.select('d', ONE);
    questions[0]!.answer(view('first'));
    await settled();
    questions.length = 0;
    adverts.select('d', ONE);
    questions[0]!.answer(view('one'));
    await settled();
    questions.length = 0;
  });

  it('shows the history of a part only once it was told of that part', async () => {
    expect(texts(ONE)).toEqual(['one']);
    adverts.select('d', TWO);
    expect(adverts.of('d')?.part).toBe(TWO);
    expect(texts(TWO)).toEqual([]);
    expect(questions.map((one) => one.part)).toEqual([TWO]);
    questions[0]!.answer(view('two'));
    await settled();
    expect(texts(TWO)).toEqual(['two']);
  });

  it('hears no answer that comes after the one of a later question', async () => {
    void adverts.ask('d');
    adverts.select('d', TWO);
    questions[1]!.answer(view('two'));
    await settled();
    questions[0]!.answer(view('one, late'));
    await settled();
    expect(texts(TWO)).toEqual(['two']);
  });

  it('keeps what was heard when a question fails, unless the device is gone', async () => {
    void adverts.ask('d');
    questions[0]!.refuse(problem('input'));
    await settled();
    expect(texts(ONE)).toEqual(['one']);
    void adverts.ask('d');
    questions[1]!.refuse(problem('unknown_device'));
    await settled();
    expect(adverts.view).toBeNull();
  });
});
