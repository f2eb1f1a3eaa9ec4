import { StripeHandlers } from './stripe.handlers.js';
import { StripePayments } from './stripe.provider.js';

/** For the module, where Stripe takes payments. */
export const STRIPE = {
  controllers: [],
  providers: [StripePayments, StripeHandlers],
  adapters: [StripePayments],
};
