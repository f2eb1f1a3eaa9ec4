import { isUuid } from '../../../../kernel/ids.js';
import { isPaymentId, type PaymentId } from '../../payment.js';

const PREFIX = 'hf-';

/**
 * What a payment is called at Paystack, which takes letters, digits and `-.=`. It follows from the payment's id: whoever has the
 * one has the other, also when the answer to the creation was never seen.
 */
export function referenceOf(payment: PaymentId): string {
  return PREFIX + payment;
}

/** @returns undefined for a reference that is not ours */
export function paymentOf(reference: unknown): PaymentId | undefined {
  if (typeof reference !== 'string' || !reference.startsWith(PREFIX)) return undefined;
  const id = reference.slice(PREFIX.length);
  return isPaymentId(id) && id === id.toLowerCase() ? id : undefined;
}

const NOTE = 'holdfast refund ';

/** What a refund of ours says in its `merchant_note`: Paystack has no other place for our id. */
export function refundNote(refund: string): string {
  return NOTE + refund;
}

/** @returns undefined for a note that is not ours */
export function refundOf(note: unknown): string | undefined {
  const id = typeof note === 'string' && note.startsWith(NOTE) ? note.slice(NOTE.length) : '';
  return isUuid(id) ? id : undefined;
}
