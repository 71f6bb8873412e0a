// A system without a locale tells the page that its language is `C`, which is no language tag; the
// chart library would stop at it. This module is imported before all others.
export function usable(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length === 1;
  } catch {
    return false;
  }
}

if (typeof navigator !== 'undefined' && !usable(navigator.language)) {
  Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
}
