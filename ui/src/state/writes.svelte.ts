// What was written lately, so that it can be written again. Kept by UUID, for as long as the window is open.

export interface Written {
  kind: 'fields' | 'hex' | 'text' | 'number';
  /** The type of a number, such as `u16le`. */
  type: string;
  /** What was typed; of fields, their bytes in hex. */
  text: string;
  /** What a text ends with, as escapes. */
  ending: string;
  withResponse: boolean;
}

const KEPT = 50;

class Writes {
  #byUuid = $state.raw<Record<string, Written[]>>({});

  /** Newest first. */
  of(uuid: string): Written[] {
    return this.#byUuid[uuid] ?? [];
  }

  add(uuid: string, written: Written): void {
    const same = (other: Written) => JSON.stringify(other) === JSON.stringify(written);
    const rest = this.of(uuid).filter((other) => !same(other));
    this.#byUuid = { ...this.#byUuid, [uuid]: [written, ...rest].slice(0, KEPT) };
  }
}

export const writes = new Writes();
