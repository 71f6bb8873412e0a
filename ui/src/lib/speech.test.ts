import { describe, expect, it } from 'vitest';

import { Speech } from './speech';

function listening() {
  const said: string[] = [];
  const timers: (() => void)[] = [];
  const speech = new Speech((text) => said.push(text), (run) => timers.push(run));
  return { speech, said, pause: () => timers.shift()?.() };
}

describe('the live region', () => {
  it('says the first thing at once and what follows after the pause', () => {
    const { speech, said, pause } = listening();
    speech.say('Strap connecting');
    speech.say('Strap connected');
    expect(said).toEqual(['Strap connecting']);
    pause();
    expect(said).toEqual(['Strap connecting', 'Strap connected']);
  });
  it('says together what came in between', () => {
    const { speech, said, pause } = listening();
    for (const text of ['a', 'b', 'c']) speech.say(text);
    pause();
    expect(said).toEqual(['a', 'b. c']);
  });
  it('is ready again when nothing waits', () => {
    const { speech, said, pause } = listening();
    speech.say('a');
    pause();
    speech.say('b');
    expect(said).toEqual(['a', 'b']);
  });
});
