import { Channel, invoke } from '@tauri-apps/api/core';

import type { Event } from '../bindings/Event';
import type { Welcome } from '../bindings/Welcome';
import type { Host } from './host';

export const host: Host = {
  listen(hear) {
    const channel = new Channel<Event>();
    channel.onmessage = hear;
    return invoke<Welcome>('listen', { channel });
  },
  call: (command, args) => invoke(command, args),
  pump: (request) => invoke<ArrayBuffer>('pump', { request }),
};
