import { Stripe } from 'stripe';
import type { ChargeReport } from '../../payment.js';
import { chargeReportOf } from './stripe-objects.js';

/**
 * A creation that is confirmed at once and declined is answered 402, and leaves its PaymentIntent behind, waiting for another means
 * of payment. https://docs.stripe.com/error-handling#payment-errors
 *
 * @returns undefined for any other failure, and where the answer holds no PaymentIntent of this payment
 */
export function declinedIntentOf(error: unknown, payment: string): ChargeReport | undefined {
  if (!(error instanceof Stripe.errors.StripeError) || error.statusCode !== 402) return undefined;
  const { payment_intent: intent, code, decline_code, message } = error;
  if (intent?.metadata?.['holdfast_payment'] !== payment) return undefined;
  return chargeReportOf({
    ...intent,
    last_payment_error: intent.last_payment_error ?? { code, decline_code, message },
  });
}
