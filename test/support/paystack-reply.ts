/** What Paystack answers: a status code and a body. */
export interface PaystackReply {
  readonly code: number;
  readonly body: object;
}

export function refusal(code: number, message: string, error: string): PaystackReply {
  const meta = { nextStep: 'Look at what was sent' };
  return { code, body: { status: false, message, meta, type: 'validation_error', code: error } };
}
