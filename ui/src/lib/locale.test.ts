import { expect, it } from 'vitest';

import { usable } from './locale';

it('knows a language tag from a missing locale', () => {
  expect(usable('de-DE')).toBe(true);
  expect(usable('C')).toBe(false);
});
