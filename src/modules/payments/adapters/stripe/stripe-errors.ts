import { Stripe } from 'stripe';
import { NotExecutedError, OutcomeUnknownError, TurnedAwayError } from '../../providers/payment-provider.js';
import { failureOf } from './stripe-objects.js';

/**
 * What a failed call says about money. https://docs.stripe.com/api/errors, https://docs.stripe.com/error-low-level
 *
 * Only what Stripe refused in its own words did not happen. The package takes the text of any answer for Stripe's: of a proxy's 502
 * as well, so that the status decides first.
 */
export function meaningOf(error: unknown): NotExecutedError | OutcomeUnknownError {
  if (!(error instanceof Stripe.errors.StripeError)) return new OutcomeUnknownError('Stripe was not understood', error);
  const { statusCode, rawType, code, message } = error;
  if (rawType === 'idempotency_error') return new OutcomeUnknownError(`Stripe refused the key: ${message}`, error);
  const isStripes = rawType !== undefined && STRIPES.has(rawType);
  switch (isStripes ? statusCode : undefined) {
    case 400:
      // Stripe has sent both: https://docs.stripe.com/rate-limits
      return code === 'rate_limit' ? turnedAway(error) : refused(error);
    case 402:
    case 404:
      return refused(error);
    case 401:
    case 403:
    case 429:
      return turnedAway(error);
    default:
      return new OutcomeUnknownError(`Stripe did not answer: ${statusCode ?? 'no whole answer'}, ${message}`, error);
  }
}

/** The key came before with another request: ours are at fault, and somebody has to look. */
export function isKeyMisused(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.rawType === 'idempotency_error';
}

const STRIPES: ReadonlySet<string> = new Set([
  'card_error',
  'invalid_request_error',
  'authentication_error',
  'rate_limit_error',
]);

function refused(error: Stripe.errors.StripeError): NotExecutedError {
  return new NotExecutedError(failureOf(worded(error)), error);
}

function turnedAway(error: Stripe.errors.StripeError): TurnedAwayError {
  return new TurnedAwayError(failureOf(worded(error)), error);
}

function worded({ code, rawType, decline_code, message }: Stripe.errors.StripeError) {
  return { code: code ?? rawType, decline_code, message };
}
