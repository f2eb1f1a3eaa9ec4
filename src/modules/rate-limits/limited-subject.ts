import ipaddr from 'ipaddr.js';
import { ValidationError } from '../../kernel/app-error.js';
import { IPV4_FORM, IPV6_FORM } from '../../kernel/ip-address-form.js';
import { isUuid } from '../../kernel/ids.js';
import { USER_ID } from '../../kernel/user-id.js';
import { EVERYONE, networkOf } from '../../platform/rate-limit/index.js';

const UUID_FORM = '[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}';

/** A subject as `limitedSubject` reads it, for the OpenAPI document. */
export const SUBJECT_FORM = `^(?:everyone|api-key:${UUID_FORM}|user:${USER_ID.source.slice(1, -1)}|ip:(?:${IPV4_FORM}|${IPV6_FORM}))$`;

/** Whom limits are counted for. `name` is as the limiter writes it. */
export interface LimitedSubject {
  readonly kind: 'api-key' | 'user' | 'ip' | 'everyone';
  readonly name: string;
  /** Id or address; empty for everyone. */
  readonly id: string;
}

/**
 * Reads `api-key:<id>`, `user:<id>`, `ip:<address>` or `everyone`.
 *
 * @throws ValidationError (400) for anything else
 */
export function limitedSubject(text: string): LimitedSubject {
  if (text === EVERYONE) return { kind: 'everyone', name: text, id: '' };
  const colon = text.indexOf(':');
  const kind = text.slice(0, colon);
  const id = text.slice(colon + 1);
  if (kind === 'api-key' && isUuid(id)) return apiKeySubject(id.toLowerCase());
  if (kind === 'user' && USER_ID.test(id)) return { kind, name: text, id };
  if (kind === 'ip' && ipaddr.isValid(id)) return { kind, name: `ip:${networkOf(id)}`, id };
  const message = 'subject must be api-key:<id>, user:<id>, ip:<address> or everyone';
  throw ValidationError.of([{ path: 'subject', message }]);
}

/** @param id of a key, in lower case */
export function apiKeySubject(id: string): LimitedSubject {
  return { kind: 'api-key', name: `api-key:${id}`, id };
}
