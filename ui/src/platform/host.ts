// What the page needs from the program around it, and nothing else. One place imports Tauri.
import type { Event } from '../bindings/Event';
import type { PumpRequest } from '../bindings/PumpRequest';
import type { Welcome } from '../bindings/Welcome';

export interface Host {
  /** Binds the channel of news; the whole state follows on it. */
  listen(hear: (event: Event) => void): Promise<Welcome>;
  /** Calls a command. A failure is a `Problem`. */
  call<T = null>(command: string, args?: Record<string, unknown>): Promise<T>;
  /** The next frame of the scope. */
  pump(request: PumpRequest): Promise<ArrayBuffer>;
}
