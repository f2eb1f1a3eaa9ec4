/** What the sandbox does with a charge, by its amount in minor units. Any other amount simply succeeds. */
export const SANDBOX_AMOUNTS = {
  /** The bank declines. */
  declined: 4001,
  /** The bank declines; two seconds later the customer pays with another card. */
  declinedThenPaid: 4002,
  /** The customer has to open `authorizationUrl` and press the button there. */
  requiresAction: 4003,
  /** It takes two seconds, as a bank transfer takes days. */
  processing: 4004,
  /** The charge is made, and no answer comes. */
  noAnswer: 4005,
  /** The charge is made, and the answer is a 500. */
  serverError: 4006,
  /** The webhook comes five seconds late. */
  webhookLate: 4007,
  /** The webhook comes twice, as two events. */
  webhookTwice: 4008,
  /** The webhook comes before the answer. */
  webhookFirst: 4009,
  /** No webhook comes. */
  webhookNever: 4010,
  /** A refund of it succeeds, and is sent back by the customer's bank a moment later. */
  refundFails: 4011,
  /** The charge is made, and the connection breaks. */
  resetAfter: 4012,
  /** The connection breaks, and nothing was made. */
  resetBefore: 4013,
  /** The customer disputes it two seconds after it succeeded, and the money is withdrawn; its page has buttons to win and to lose. */
  disputed: 4014,
  /** The same, and two seconds later the dispute is won and the money is back. */
  disputeWon: 4015,
} as const;

export type SandboxBehavior = keyof typeof SANDBOX_AMOUNTS;

const BY_AMOUNT: ReadonlyMap<number, SandboxBehavior> = new Map(
  (Object.entries(SANDBOX_AMOUNTS) as [SandboxBehavior, number][]).map(([name, amount]) => [amount, name]),
);

export function behaviorOf(amount: number | string): SandboxBehavior | undefined {
  return BY_AMOUNT.get(Number(amount));
}
