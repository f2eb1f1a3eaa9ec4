import { AppError } from '../../../kernel/app-error.js';

/** Why a signature was refused: for logs and the failure counter's label. */
export type SignatureFault = 'missing' | 'malformed' | 'duplicate' | 'mismatch';

/** 401: a header the signature needs is absent or empty. */
export class WebhookSignatureMissingError extends AppError {
  readonly code = 'WEBHOOK_SIGNATURE_MISSING';
  readonly status = 401;
  readonly title = 'The webhook is not signed';
  readonly reason: SignatureFault = 'missing';

  constructor(readonly header: string) {
    super(
      `The ${header} header is missing or empty. Check that the sender signs this webhook, that the source has the ` +
        `right provider, and that no proxy drops the header.`,
      { details: { header, reason: 'missing' } },
    );
  }
}

/** 401: the signature is there but cannot be read, is there twice, or matches no secret. */
export class WebhookSignatureInvalidError extends AppError {
  readonly code = 'WEBHOOK_SIGNATURE_INVALID';
  readonly status = 401;
  readonly title = 'The webhook signature is not valid';

  private constructor(
    readonly header: string,
    readonly reason: SignatureFault,
    detail: string,
  ) {
    super(detail, { details: { header, reason } });
  }

  /** @param expected the form the header should have, for example `sha256=<64 hex digits>` */
  static malformed(header: string, expected: string): WebhookSignatureInvalidError {
    return new this(header, 'malformed', `The ${header} header cannot be read; expected ${expected}.`);
  }

  static duplicate(header: string): WebhookSignatureInvalidError {
    return new this(header, 'duplicate', `The ${header} header was sent more than once; send it exactly once.`);
  }

  static mismatch(header: string): WebhookSignatureInvalidError {
    return new this(
      header,
      'mismatch',
      `The signature in ${header} matches no active secret of this source. Check that the source holds the secret the ` +
        `sender signs with, and that nothing between the two changes the body.`,
    );
  }
}
