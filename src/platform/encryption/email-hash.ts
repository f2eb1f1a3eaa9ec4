import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import type { EmailAddress } from '../../kernel/email-address.js';
import { deriveKey } from './derive-key.js';

/** Separates this use of ENCRYPTION_KEY from any other. */
const LABEL = 'holdfast/email-hash/v1';

/** 64 bits: enough to tell addresses apart in the audit log. */
const SHOWN_DIGITS = 16;

/**
 * Stands for an e-mail address in tables, in Redis and in the audit log. Addresses can be guessed, so a plain hash would
 * not hide them from whoever reads them: the HMAC does, as long as `ENCRYPTION_KEY` is not read as well.
 */
@Injectable()
export class EmailHash {
  private readonly key: Uint8Array;

  constructor(@Inject(CONFIG) config: Pick<Config, 'encryptionKey'>) {
    this.key = deriveKey(config.encryptionKey, LABEL);
  }

  /** HMAC-SHA-256, 32 bytes. */
  of(email: EmailAddress): Buffer {
    return createHmac('sha256', this.key).update(email, 'utf8').digest();
  }

  /** `email:` and the first digits of the hash: for audit lines. */
  subjectOf(email: EmailAddress): string {
    return `email:${this.of(email).toString('hex').slice(0, SHOWN_DIGITS)}`;
  }
}
