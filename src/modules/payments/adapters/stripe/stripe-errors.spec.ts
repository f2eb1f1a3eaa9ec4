import { describe, expect, it } from '@jest/globals';
import { Stripe } from 'stripe';
import { NotExecutedError, OutcomeUnknownError, TurnedAwayError } from '../../providers/payment-provider.js';
import { declinedIntentOf } from './stripe-declines.js';
import { meaningOf } from './stripe-errors.js';

/** As the package makes it of an answer. */
function answered(statusCode: number, error: object): Error {
  return Stripe.errors.generateV1Error({ ...error, statusCode });
}

const REQUEST = 'invalid_request_error';

describe('what Stripe answers', () => {
  it.each<[number, object]>([
    [400, { type: REQUEST, code: 'parameter_unknown', message: 'Received unknown parameter: x' }],
    [400, { type: REQUEST, code: 'payment_intent_unexpected_state', message: 'It has a status of canceled' }],
    [402, { type: 'card_error', code: 'card_declined', decline_code: 'lost_card', message: 'Declined' }],
    [404, { type: REQUEST, code: 'resource_missing', message: 'No such payment_intent' }],
  ])('with %d and %j did not happen', (status, error) => {
    const meaning = meaningOf(answered(status, error));
    expect(meaning).toBeInstanceOf(NotExecutedError);
    expect(meaning).not.toBeInstanceOf(TurnedAwayError);
  });

  it('is kept in its own words', () => {
    const error = { type: 'card_error', code: 'card_declined', decline_code: 'lost_card', message: 'Declined' };
    expect(meaningOf(answered(402, error))).toMatchObject({
      failure: { code: 'card_declined', declineCode: 'lost_card', message: 'Declined' },
    });
  });

  it.each<[number, object]>([
    [401, { type: REQUEST, message: 'Invalid API Key provided' }],
    [403, { type: REQUEST, code: 'more_permissions_required', message: 'The key has no such permission' }],
    [429, { type: REQUEST, code: 'rate_limit', message: 'Too many requests' }],
    [429, { type: REQUEST, code: 'lock_timeout', message: 'This object cannot be accessed right now' }],
    [400, { type: REQUEST, code: 'rate_limit', message: 'Too many requests' }],
  ])('with %d and %j was turned away', (status, error) => {
    expect(meaningOf(answered(status, error))).toBeInstanceOf(TurnedAwayError);
  });

  it.each<[number, object]>([
    [500, { type: 'api_error', message: 'An unknown error occurred' }],
    [503, { type: REQUEST, message: 'Try later' }],
    [409, { type: REQUEST, code: 'idempotency_key_in_use', message: 'In use' }],
    [400, { type: 'idempotency_error', message: 'Keys can only be used with the same parameters' }],
    [408, { type: REQUEST, message: 'Too slow' }],
    [400, { message: 'a proxy says no' }],
    [400, { type: 'proxy_error', message: 'a proxy says no' }],
  ])('with %d and %j leaves the outcome unknown', (status, error) => {
    expect(meaningOf(answered(status, error))).toBeInstanceOf(OutcomeUnknownError);
  });

  it.each<[string, unknown]>([
    ['a connection that broke', new Stripe.errors.StripeConnectionError({ message: 'reset', type: 'api_error' })],
    [
      'no JSON',
      new Stripe.errors.StripeAPIError({ message: 'Invalid JSON received from the Stripe API', type: 'api_error' }),
    ],
    ['a mistake of ours', new TypeError('x is not a function')],
    ['nothing at all', undefined],
  ])('with %s leaves the outcome unknown', (_, error) => {
    expect(meaningOf(error)).toBeInstanceOf(OutcomeUnknownError);
  });
});

describe('a creation that was declined', () => {
  const intent = {
    id: 'pi_1',
    object: 'payment_intent',
    status: 'requires_payment_method',
    livemode: false,
    amount_received: 0,
    currency: 'usd',
    client_secret: 'pi_1_secret_2',
    metadata: { holdfast_payment: 'ours' },
    last_payment_error: null,
    next_action: null,
  };
  const error = { type: 'card_error', code: 'card_declined', decline_code: 'lost_card', message: 'Declined' };

  it('has left a PaymentIntent, which has failed', () => {
    const report = declinedIntentOf(answered(402, { ...error, payment_intent: intent }), 'ours');
    expect(report).toMatchObject({
      reference: 'pi_1',
      status: 'failed',
      failure: { code: 'card_declined', declineCode: 'lost_card', message: 'Declined' },
    });
    expect(report).not.toHaveProperty('clientSecret');
  });

  it.each<[string, Error]>([
    ['where the answer holds none', answered(402, error)],
    [
      'where it is of another payment',
      answered(402, { ...error, payment_intent: { ...intent, metadata: { holdfast_payment: 'theirs' } } }),
    ],
    ['for a request that was refused', answered(400, { ...error, type: REQUEST, payment_intent: intent })],
  ])('has left none %s', (_, failure) => {
    expect(declinedIntentOf(failure, 'ours')).toBeUndefined();
  });
});
