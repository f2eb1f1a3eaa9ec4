import { expect, it } from '@jest/globals';
import { newId } from '../../kernel/ids.js';
import { type HoldId, isHoldId, isTransferId, type TransferId } from './ids.js';

it.each([isTransferId, isHoldId])('%p takes a UUID, and refuses what PostgreSQL would refuse', (isId) => {
  expect(isId(newId())).toBe(true);
  for (const text of ['', 'x', `${newId()}\n`, "' OR 1=1 --"]) expect(isId(text)).toBe(false);
});

it('The id of a hold is none of a transfer, and a text is neither until it has been looked at', () => {
  const text: string = newId();
  const hold: HoldId = newId();
  // @ts-expect-error: it would reverse a transfer that is none.
  const ofAnotherKind: TransferId = hold;
  // @ts-expect-error: PostgreSQL may refuse it.
  const unread: HoldId = text;
  expect([ofAnotherKind, unread]).toEqual([hold, text]);
});
