import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../../kernel/ids.js';
import type { PaymentId } from '../../payment.js';
import { paystackMode } from './paystack-key.js';
import { paymentOf, referenceOf } from './paystack-reference.js';

const id: PaymentId = newId();

describe('our reference of a payment', () => {
  it('has only characters that Paystack takes', () => {
    expect(referenceOf(id)).toMatch(/^[A-Za-z0-9.=-]+$/);
  });

  it('says whose it is', () => {
    expect(paymentOf(referenceOf(id))).toBe(id);
  });

  it.each([id, `hf-${id.toUpperCase()}`, `hf-${id}0`, `HF-${id}`, 'hf-', 'T685312322670591', '', 7, null, undefined])(
    'is not %j',
    (foreign) => {
      expect(paymentOf(foreign)).toBeUndefined();
    },
  );
});

describe('a secret key', () => {
  it.each([
    ['sk_test_4f1c0a9b', 'test'],
    ['sk_live_4f1c0a9b', 'live'],
    ['pk_test_4f1c0a9b', undefined],
    ['a-secret-of-webhooks', undefined],
    [' sk_live_4f1c0a9b', undefined],
    [undefined, undefined],
  ])('%j is for the mode %j', (key, mode) => {
    expect(paystackMode(key)).toBe(mode);
  });
});
