// Which part of an advertisement is looked at.
import type { AdvertPart } from '../bindings/AdvertPart';

const source = (part: string) => part.split('/')[0];

/** The part that was chosen; if that is gone, another of the same company or service, else the first payload. */
export function chosen<T extends Pick<AdvertPart, 'part' | 'payload'>>(parts: readonly T[], wanted: string | null): T | null {
  const same = wanted ? (parts.find((one) => one.part === wanted) ?? parts.find((one) => one.part && source(one.part) === source(wanted))) : undefined;
  return same ?? parts.find((one) => one.payload) ?? parts[0] ?? null;
}
