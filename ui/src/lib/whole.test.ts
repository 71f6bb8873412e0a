import { expect, it } from 'vitest';

import { whole } from './whole';

it('takes whole numbers within the limits and nothing else', () => {
  expect([whole('0', 0, 3600), whole(' 3600 ', 0, 3600), whole('007', 1, 300)]).toEqual([0, 3600, 7]);
  for (const text of ['', ' ', '-1', '1.5', '1e2', '3601', '0x10', '99999999999999999']) expect(whole(text, 0, 3600)).toBeNull();
  expect(whole('0', 1, 300)).toBeNull();
});
