import { ValidationError } from '../../../kernel/app-error.js';
import type { CaptureHoldDto, NewHoldDto } from '../dto/hold.dto.js';
import type { NewTransactionDto } from '../dto/transaction.dto.js';
import type { NewTransferBatchDto, NewTransferDto } from '../dto/transfer.dto.js';
import { MAX_BATCH, MAX_HOLD_SECONDS } from './bounds.js';
import { FieldReader, type Mistake } from './field-reader.js';

const NONE: ReadonlySet<string> = new Set();
const TRANSFER = new Set(['fromUserId', 'toUserId', 'amount', 'currency', 'description', 'metadata']);
const BATCH = new Set(['mode', 'transfers']);
const HOLD = new Set(['userId', 'amount', 'currency', 'toUserId', 'expiresInSeconds', 'description']);
const CAPTURE = new Set(['amount']);
const BALANCE = new Set(['userId', 'currency', 'at']);
const TRANSACTION = new Set([
  'userId',
  'type',
  'amount',
  'currency',
  'description',
  'category',
  'reference',
  'metadata',
]);

/** Which balance: `at` a moment of the past, or now. */
export interface BalanceQuery {
  readonly userId: string;
  readonly currency: string;
  readonly at: Date | undefined;
}

// Each of these throws ValidationError (400) with every mistake of the body.

export function readTransaction(body: unknown): NewTransactionDto {
  const mistakes: Mistake[] = [];
  const fields = new FieldReader(body, TRANSACTION, mistakes);
  return complete(mistakes, {
    userId: fields.userId('userId'),
    type: fields.oneOf('type', ['CREDIT', 'DEBIT']),
    amount: fields.amount('amount'),
    currency: fields.currency('currency'),
    description: fields.description('description'),
    category: fields.category('category'),
    reference: fields.reference('reference'),
    metadata: fields.metadata('metadata'),
  });
}

export function readTransfer(body: unknown): NewTransferDto {
  const mistakes: Mistake[] = [];
  return complete(mistakes, transferOf(body, mistakes, ''));
}

export function readTransferBatch(body: unknown): NewTransferBatchDto {
  const mistakes: Mistake[] = [];
  const fields = new FieldReader(body, BATCH, mistakes);
  return complete(mistakes, {
    mode: fields.oneOf('mode', ['atomic', 'independent']),
    transfers: fields.list('transfers', MAX_BATCH).map((item, n) => transferOf(item, mistakes, `transfers.${n}.`)),
  });
}

export function readHold(body: unknown): NewHoldDto {
  const mistakes: Mistake[] = [];
  const fields = new FieldReader(body, HOLD, mistakes);
  return complete(mistakes, {
    userId: fields.userId('userId'),
    amount: fields.amount('amount'),
    currency: fields.currency('currency'),
    toUserId: fields.optionalUserId('toUserId'),
    expiresInSeconds: fields.optionalWholeNumber('expiresInSeconds', MAX_HOLD_SECONDS),
    description: fields.description('description'),
  });
}

/** No body at all captures the whole. */
export function readCapture(body: unknown): CaptureHoldDto {
  const mistakes: Mistake[] = [];
  const fields = new FieldReader(body ?? {}, CAPTURE, mistakes);
  return complete(mistakes, { amount: fields.optionalAmount('amount') });
}

/** For routes that take no body, or an empty object. */
export function readNothing(body: unknown): void {
  const mistakes: Mistake[] = [];
  complete(mistakes, new FieldReader(body ?? {}, NONE, mistakes));
}

export function readBalanceQuery(query: unknown): BalanceQuery {
  const mistakes: Mistake[] = [];
  const fields = new FieldReader(query, BALANCE, mistakes);
  return complete(mistakes, {
    userId: fields.userId('userId'),
    currency: fields.currency('currency'),
    at: fields.optionalTimestamp('at'),
  });
}

function transferOf(body: unknown, mistakes: Mistake[], path: string): NewTransferDto {
  const fields = new FieldReader(body, TRANSFER, mistakes, path);
  return {
    fromUserId: fields.userId('fromUserId'),
    toUserId: fields.userId('toUserId'),
    amount: fields.amount('amount'),
    currency: fields.currency('currency'),
    description: fields.description('description'),
    metadata: fields.metadata('metadata'),
  };
}

function complete<Read>(mistakes: readonly Mistake[], read: Read): Read {
  if (mistakes.length > 0) throw ValidationError.of(mistakes);
  return read;
}
