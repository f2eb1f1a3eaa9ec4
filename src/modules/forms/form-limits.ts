import type { Subscription } from '../accounts/index.js';

interface Allowance {
  /** As people read it. */
  readonly title: string;
  /** Forms at a time. */
  readonly forms: number;
}

/** From the least to the most. */
const ALLOWANCES: Readonly<Record<Subscription, Allowance>> = {
  free: { title: 'Free', forms: 5 },
  starter: { title: 'Starter', forms: 20 },
  pro: { title: 'Pro', forms: 50 },
  business: { title: 'Business', forms: Infinity },
  enterprise: { title: 'Enterprise', forms: Infinity },
};

/** How many forms a user may have at a time; Infinity for any number. */
export function formLimit(subscription: Subscription): number {
  return ALLOWANCES[subscription].forms;
}

/** What to subscribe to for more forms; the smallest of those that have no limit ends the list. */
export function upgradeAdvice(subscription: Subscription): string {
  const limit = formLimit(subscription);
  const larger = Object.values(ALLOWANCES).filter(({ forms }) => forms > limit);
  const unlimited = larger.find(({ forms }) => forms === Infinity);
  const offers = larger
    .filter((each) => each.forms < Infinity || each === unlimited)
    .map(({ title, forms }) => `${title} for ${forms === Infinity ? 'unlimited' : `up to ${forms}`} forms`);
  const last = offers.pop();
  return `Upgrade to ${[...offers, ...(last === undefined ? [] : [offers.length > 0 ? `or ${last}` : last])].join(', ')}`;
}
