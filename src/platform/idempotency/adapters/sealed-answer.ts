import { createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey } from '../../encryption/index.js';
import type { RememberedAnswer } from '../answer-memory.js';

/** Separates this use of ENCRYPTION_KEY from any other. */
const LABEL = 'holdfast/idempotency-answers/v1';
const MAC_LENGTH = 43;
const HEADER = /^(\d{1,15}) (\d{1,15}) ([1-5]\d\d) ([0-9a-f]{64}) ([^\n]*)$/;

/**
 * Answers as text, with an HMAC over them and the name they are stored under: whoever can write to Redis can neither
 * make up an answer nor give one to another's key.
 *
 * `<mac>\n<created, unix ms> <expires, unix ms> <status> <fingerprint> <content type>\n<body>`
 */
export class AnswerSeal {
  private readonly key: Uint8Array;

  /** @param encryptionKey 32 bytes */
  constructor(encryptionKey: Buffer) {
    this.key = deriveKey(encryptionKey, LABEL);
  }

  seal(name: string, answer: RememberedAnswer): string {
    const { createdAt, expiresAt, status, fingerprint, contentType, body } = answer;
    const text = `${createdAt.getTime()} ${expiresAt.getTime()} ${status} ${fingerprint} ${contentType}\n${body}`;
    return `${this.macOf(name, text)}\n${text}`;
  }

  /** @returns undefined for whatever we did not write under that name */
  open(name: string, sealed: string): RememberedAnswer | undefined {
    if (sealed.charAt(MAC_LENGTH) !== '\n') return undefined;
    const text = sealed.slice(MAC_LENGTH + 1);
    const given = Buffer.from(sealed.slice(0, MAC_LENGTH), 'latin1');
    if (!timingSafeEqual(given, Buffer.from(this.macOf(name, text), 'latin1'))) return undefined;
    const bodyAt = text.indexOf('\n') + 1;
    const header = HEADER.exec(text.slice(0, bodyAt - 1));
    if (header === null) return undefined;
    const [, created = '', expires = '', status = '', fingerprint = '', contentType = ''] = header;
    return {
      createdAt: new Date(Number(created)),
      expiresAt: new Date(Number(expires)),
      status: Number(status),
      fingerprint,
      contentType,
      body: text.slice(bodyAt),
    };
  }

  private macOf(name: string, text: string): string {
    return createHmac('sha256', this.key).update(`${name}\n${text}`, 'utf8').digest('base64url');
  }
}
