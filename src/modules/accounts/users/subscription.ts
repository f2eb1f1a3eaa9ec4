export const SUBSCRIPTIONS = ['free', 'starter', 'pro', 'business', 'enterprise'] as const;

/** What a user pays for; the limits of forms go by it. */
export type Subscription = (typeof SUBSCRIPTIONS)[number];
