import { isUtf8 } from 'node:buffer';
import { ValidationError } from '../../../kernel/app-error.js';

/** 400: verified, but not a JSON object we can read. */
export class WebhookPayloadError extends ValidationError {
  override readonly code = 'WEBHOOK_PAYLOAD_INVALID';
  override readonly title = 'Webhook payload invalid';
}

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const JSON_TYPE = /^(?:application|text)\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/** GitHub's default content type sends the JSON in a form field of this name. */
const FORM_FIELD = 'payload';

/** True for a content type whose body `webhookJson` can read; absent counts as JSON. */
export function isReadable(contentType: string | undefined, acceptsForm: boolean): boolean {
  if (contentType === undefined || JSON_TYPE.test(contentType)) return true;
  return acceptsForm && isForm(contentType);
}

/** A form's bytes are not the JSON itself: the JSON is one of its fields. */
export function isForm(contentType: string | undefined): boolean {
  return contentType !== undefined && FORM_TYPE.test(contentType);
}

/**
 * The JSON text of a body.
 *
 * @throws WebhookPayloadError (400) for bytes that are not UTF-8, which JSON must be (RFC 8259, section 8.1)
 */
export function webhookJson(rawBody: Buffer, contentType: string | undefined): string {
  if (!isUtf8(rawBody)) throw new WebhookPayloadError('The body is not valid UTF-8, which JSON must be.');
  const text = rawBody.toString('utf8');
  if (!isForm(contentType)) return text;
  return new URLSearchParams(text).get(FORM_FIELD) ?? '';
}
