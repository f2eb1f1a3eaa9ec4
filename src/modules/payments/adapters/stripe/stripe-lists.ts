import type { Stripe } from 'stripe';
import { OutcomeUnknownError } from '../../providers/payment-provider.js';

export const PAGE = 100;
/** 10,000 objects. */
const MOST_PAGES = 100;

type List<Item> = (after: { starting_after?: string }) => PromiseLike<Stripe.ApiList<Item>>;

/** Newest first, page by page. @throws OutcomeUnknownError for more than could be looked through */
export async function firstOf<Item extends { id: string }>(
  list: List<Item>,
  isWanted: (item: Item) => boolean,
): Promise<Item | undefined> {
  let after = {};
  for (let page = 0; page < MOST_PAGES; page++) {
    const { object, data, has_more: hasMore } = await list(after);
    if (object !== 'list') throw new OutcomeUnknownError('Stripe answered with no list');
    const found = data.find(isWanted);
    const last = data.at(-1);
    if (found !== undefined || !hasMore || last === undefined) return found;
    after = { starting_after: last.id };
  }
  throw new OutcomeUnknownError(`Not among the newest ${MOST_PAGES * PAGE} at Stripe`);
}

/** Oldest first. @throws OutcomeUnknownError for more than could be looked through */
export async function allOf<Item extends { id: string }>(list: List<Item>): Promise<Item[]> {
  const all: Item[] = [];
  await firstOf(list, (item) => {
    all.push(item);
    return false;
  });
  return all.toReversed();
}
