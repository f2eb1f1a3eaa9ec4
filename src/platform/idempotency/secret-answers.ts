import type { SecretBox } from '../encryption/index.js';
import type { AnswerContent, IdempotencyClaim } from './claim.js';

/** Tells a sealed body from one that was stored before bodies were sealed, which is JSON. */
const SEALED = 'sealed:v1:';

/**
 * The answers of confidential routes, as the database and Redis keep them. After a rotation of `ENCRYPTION_KEY` nobody opens
 * them any more, and nobody has to: the fingerprints of these routes are made with the key too, so that a repeat is refused.
 */
export class SecretAnswers {
  constructor(private readonly box: SecretBox) {}

  seal(claim: IdempotencyClaim, answer: AnswerContent): AnswerContent {
    if (answer.body === '') return answer;
    return { ...answer, body: SEALED + this.box.seal(answer.body, placeOf(claim)).toString('base64url') };
  }

  /** @throws SecretUnreadableError for what was altered, or belongs to another key */
  open(claim: IdempotencyClaim, answer: AnswerContent): AnswerContent {
    if (!answer.body.startsWith(SEALED)) return answer;
    const sealed = Buffer.from(answer.body.slice(SEALED.length), 'base64url');
    return { ...answer, body: this.box.open(sealed, placeOf(claim)) };
  }
}

/** A key has no colon in it, so no two claims share a place. */
function placeOf({ scope, key }: IdempotencyClaim): string {
  return `idempotency_records:${scope}:${key}`;
}
