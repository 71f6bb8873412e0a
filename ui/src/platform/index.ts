// Which host the page runs in: the application, or (for tests) whatever was put in its place.
import type { Host } from './host';
import { host as tauri } from './tauri';

export type { Host } from './host';
export const host: Host = tauri;
