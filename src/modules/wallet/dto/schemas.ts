import { CURRENCIES } from '../../../kernel/currency.js';
import { MAX_AMOUNT } from '../../../kernel/money.js';
import { USER_ID } from '../../../kernel/user-id.js';
import {
  CATEGORY_PATTERN,
  DEFAULT_HOLD_SECONDS,
  MAX_DESCRIPTION,
  MAX_HOLD_SECONDS,
  REFERENCE_PATTERN,
} from '../requests/bounds.js';

/** An integer of the currency's minor units, for example cents; the ledger keeps every balance within ±(2^53 − 1). */
export const MINOR_UNITS = { type: 'integer', format: 'int64', example: 1000 } as const;

/** ISO 4217. */
export const CURRENCY = { enum: [...CURRENCIES], enumName: 'Currency', example: 'USD' };

/** Whose account: 1 to 128 visible ASCII characters. */
export const USER = { type: 'string', pattern: USER_ID.source, example: 'alice' } as const;

/** An amount to move. */
export const AMOUNT = {
  type: 'integer',
  format: 'int64',
  minimum: 1,
  maximum: Number(MAX_AMOUNT),
  example: 1000,
  description: 'Minor units, for example cents.',
} as const;

export const METADATA = {
  type: 'object',
  additionalProperties: true,
  description: 'Facts of your own, up to 4 KiB of JSON; numbers are 0 or between 1e-6 and 1e21 in size.',
} as const;

export const DESCRIPTION = { type: 'string', maxLength: MAX_DESCRIPTION, nullable: true } as const;

export const CATEGORY = { type: 'string', pattern: CATEGORY_PATTERN.source, nullable: true } as const;

export const REFERENCE = { type: 'string', pattern: REFERENCE_PATTERN.source, nullable: true } as const;

export const HOLD_SECONDS = {
  type: 'integer',
  minimum: 1,
  maximum: MAX_HOLD_SECONDS,
  default: DEFAULT_HOLD_SECONDS,
} as const;

/** Ours, version 7. */
export const ID = { type: 'string', format: 'uuid' } as const;

/** RFC 3339, UTC. */
export const TIME = { type: 'string', format: 'date-time' } as const;
