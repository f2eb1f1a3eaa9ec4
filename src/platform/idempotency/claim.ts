/** What a request claims. */
export interface IdempotencyClaim {
  /** `<actor>:<METHOD>:<route pattern>`: whose key it is, and for what. */
  readonly scope: string;
  /** As the client chose it; 16 to 128 of `[A-Za-z0-9_-]`. */
  readonly key: string;
  /** SHA-256 in hex of method, route pattern, path parameters, query and canonical JSON of the body. */
  readonly fingerprint: string;
}

/** What is stored and answered again. */
export interface AnswerContent {
  readonly status: number;
  /** As the header says it, for example `application/json; charset=utf-8`; empty when there is no body. */
  readonly contentType: string;
  /** The exact text sent; sealed where the route is confidential. */
  readonly body: string;
}

/** An answer and when it was stored. */
export interface FirstAnswer extends AnswerContent {
  readonly createdAt: Date;
}

export interface StoredAnswer extends FirstAnswer {
  /** From then on the key is free for a new request. */
  readonly expiresAt: Date;
}

/** What the database knows of a claim's scope and key. The fingerprint may be that of another request. */
export type KnownClaim =
  | { readonly state: 'completed'; readonly fingerprint: string; readonly answer: StoredAnswer }
  | {
      readonly state: 'in_flight';
      readonly fingerprint: string;
      /** Whole seconds, at least 1: as long as the attempt has been working, at most until its lock ends. */
      readonly retryAfter: number;
    };
