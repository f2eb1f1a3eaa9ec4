/** What a request with an idempotency key claims. */
export interface RepeatClaim {
  readonly scope: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** Port: knows answers that are stored. An abstract class so that it can be the injection token too. */
export abstract class RepeatLookup {
  /**
   * Whether the answer to this very request is stored. Asked before a request is refused, because repeats are free; if it
   * is, the request goes on and its route answers it again.
   */
  abstract isRepeat(claim: RepeatClaim): Promise<boolean>;
}
