import { readerOf } from '../../../platform/http/index.js';
import { BalanceQueryDto } from '../dto/account.dto.js';
import { CaptureHoldDto, NewHoldDto } from '../dto/hold.dto.js';
import { NewTransactionDto } from '../dto/transaction.dto.js';
import { NewTransferBatchDto, NewTransferDto } from '../dto/transfer.dto.js';

class NothingDto {}

/** Which balance: `at` a moment of the past, or now. */
export interface BalanceQuery {
  readonly userId: string;
  readonly currency: string;
  readonly at: Date | undefined;
}

const capture = readerOf(CaptureHoldDto);
const nothing = readerOf(NothingDto);
const balanceQuery = readerOf(BalanceQueryDto);

// Each of these throws ValidationError (400) with every mistake of the body.

export const readTransaction = readerOf(NewTransactionDto);

export const readTransfer = readerOf(NewTransferDto);

export const readTransferBatch = readerOf(NewTransferBatchDto);

export const readHold = readerOf(NewHoldDto);

/** No body at all captures the whole. */
export const readCapture = (body: unknown): CaptureHoldDto => capture(body ?? {});

/** For routes that take no body, or an empty object. */
export function readNothing(body: unknown): void {
  nothing(body ?? {});
}

export function readBalanceQuery(query: unknown): BalanceQuery {
  const { userId, currency, at } = balanceQuery(query);
  return { userId, currency, at: at === undefined ? undefined : new Date(at) };
}
