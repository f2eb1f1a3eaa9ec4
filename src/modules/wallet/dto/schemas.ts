import { CURRENCIES } from '../../../kernel/currency.js';
import { MAX_AMOUNT } from '../../../kernel/money.js';

/** An integer of the currency's minor units, for example cents; the ledger keeps every balance within ±(2^53 − 1). */
export const MINOR_UNITS = { type: 'integer', format: 'int64', example: 1000 } as const;

/** ISO 4217. */
export const CURRENCY = { enum: [...CURRENCIES], enumName: 'Currency', example: 'USD' };

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

/** Ours, version 7. */
export const ID = { type: 'string', format: 'uuid' } as const;

/** RFC 3339, UTC. */
export const TIME = { type: 'string', format: 'date-time' } as const;
