// Something that is done again and again while it is wanted, one turn at a time.

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How long a turn that failed is waited for before the next, ms. */
const FAILED = 500;

export class Loop {
  #running = false;
  #wanted: () => boolean;
  #turn: () => Promise<void>;

  constructor(wanted: () => boolean, turn: () => Promise<void>) {
    [this.#wanted, this.#turn] = [wanted, turn];
  }

  /** Begins, unless it runs. It ends by itself when it is wanted no more. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#wanted()) {
      try {
        await this.#turn();
      } catch (error) {
        console.error(error);
        await sleep(FAILED);
      }
    }
    // In one step with the last look at whether it is wanted, so that no start comes between.
    this.#running = false;
  }
}
