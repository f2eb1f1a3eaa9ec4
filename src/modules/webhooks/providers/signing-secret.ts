import { ValidationError } from '../../../kernel/app-error.js';

const MAX_LENGTH = 512;

/** @throws ValidationError naming what is wrong; the message never quotes the secret */
export function checkSigningSecret(secret: string, minLength = 1): void {
  if (secret.length < minLength)
    throw secretError(`must have at least ${minLength} character${minLength > 1 ? 's' : ''}`);
  if (secret.length > MAX_LENGTH) throw secretError(`must have at most ${MAX_LENGTH} characters`);
  if (secret !== secret.trim()) throw secretError('starts or ends with white space; was a line break copied with it?');
}

export function secretError(message: string): ValidationError {
  return ValidationError.of([{ path: 'secret', message }]);
}
