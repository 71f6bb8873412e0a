// What a screen reader is told: at most one utterance in a while, and nothing swallowed. What comes
// in between waits and is said together.

const PAUSE_MS = 2000;
const KEPT = 4;

export class Speech {
  #waiting: string[] = [];
  #quiet = false;

  /** `utter` puts text into the live region; `later` runs something after some milliseconds. */
  constructor(
    private readonly utter: (text: string) => void,
    private readonly later: (run: () => void, ms: number) => void,
  ) {}

  say(text: string): void {
    this.#waiting = [...this.#waiting, text].slice(-KEPT);
    if (!this.#quiet) this.#next();
  }

  #next(): void {
    this.#quiet = this.#waiting.length > 0;
    if (!this.#quiet) return;
    this.utter(this.#waiting.join('. '));
    this.#waiting = [];
    this.later(() => this.#next(), PAUSE_MS);
  }
}
