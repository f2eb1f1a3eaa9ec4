import type { PaymentMode } from '../../payment.js';

const KEY = /^sk_(test|live)_/;

/**
 * Which mode a secret key is for; undefined for what is no key of Paystack's API, and then only the secret of webhooks.
 *
 * https://paystack.com/docs/api/authentication/
 */
export function paystackMode(secretKey: string | undefined): PaymentMode | undefined {
  const [, mode] = KEY.exec(secretKey ?? '') ?? [];
  return mode === 'test' || mode === 'live' ? mode : undefined;
}
