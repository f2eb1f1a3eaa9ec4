import type { AppError } from '../../kernel/app-error.js';
import type { Money } from '../../kernel/money.js';
import type { RequestContext } from '../../platform/auth/index.js';
import type { AnswerContent, IdempotencyClaim } from '../../platform/idempotency/index.js';
import type { AccountKey } from './account.js';
import type { Hold } from './hold.js';
import type { HoldId, TransferId } from './ids.js';
import type { PostedTransfer } from './transfer.js';

/** What a transfer carries besides its money. */
export interface TransferNote {
  readonly description?: string | undefined;
  /** Names what was charged for; `reference` is unique within it. */
  readonly category?: string | undefined;
  /** At most one transfer has this category and this reference: `settle:<payment>` settles once. */
  readonly reference?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** The category that payments post under. Nobody else may, nor take back what was posted under it. */
export const PAYMENT_CATEGORY = 'payment';

/** What was lent to a user's account because it had to pay more than was available on it. Nobody else may use it. */
export const SHORTFALL_CATEGORY = 'debt_shortfall';

/** What of a user's money has gone to pay what they owed. Nobody else may use it. */
export const REPAYMENT_CATEGORY = 'debt_repayment';

/** One thing asked of the ledger. Amounts are greater than zero, and in the currency of the accounts. */
export type Posting = TransferPosting | HoldPosting | HoldResolution | ReversalPosting;

export interface TransferPosting extends TransferNote {
  readonly type: 'transfer';
  readonly kind: 'CREDIT' | 'DEBIT' | 'TRANSFER';
  readonly debit: AccountKey;
  readonly credit: AccountKey;
  readonly amount: Money;
  /**
   * What becomes of what the debited user's account lacks. Without it the transfer is refused (402). `debt`: the user owes
   * it. For what has happened already, such as a provider that took money back; from a user's account to a system account.
   *
   * The account is lent what is not available on it, as a transfer of its own that comes first, and then pays the whole
   * amount: one transfer has the reference and can be reversed. From a frozen account nothing moves: then the user's debt
   * account pays all of it, and is the debit of what was posted.
   */
  readonly shortfall?: 'debt' | undefined;
}

export interface HoldPosting {
  readonly type: 'hold';
  readonly account: AccountKey;
  /** Who is paid when the hold is captured. */
  readonly credit: AccountKey;
  readonly amount: Money;
  readonly expiresInSeconds: number;
  readonly description?: string | undefined;
}

/**
 * A capture pays `amount`, or all of it, and releases the rest. It is in minor units: the currency is that of the hold, which
 * who captures it need not have read. That a hold expires nobody has to ask for.
 */
export type HoldResolution =
  | { readonly type: 'capture'; readonly holdId: HoldId; readonly amount?: bigint | undefined }
  | { readonly type: 'void'; readonly holdId: HoldId };

/** Posts the mirror of a transfer, once. */
export interface ReversalPosting {
  readonly type: 'reverse';
  readonly transferId: TransferId;
}

/** Postings that one caller sends together. */
export interface PostingRequest {
  readonly postings: readonly Posting[];
  /** `atomic`: all are posted or none. `independent`: each is posted or refused for itself, in order. */
  readonly mode: 'atomic' | 'independent';
  readonly by: RequestContext;
  /**
   * Set for an end user: debit accounts, holds and transfers that are not this owner's are answered as unknown (404).
   * A transfer to be reversed is its receiver's, who gives the money back. A hold of theirs that another actor placed
   * is not theirs to capture or void (403): it secures that actor's claim.
   */
  readonly onlyOwner?: string | undefined;
  /** With it the request is carried out once, however often it is sent; `answer` is stored under it. */
  readonly claim?: IdempotencyClaim | undefined;
  /** Renders the answer inside the batch, before it commits; pure and fast. */
  readonly answer?: ((outcomes: readonly PostingOutcome[]) => AnswerContent) | undefined;
}

/** What became of one posting. */
export type PostingOutcome =
  /** A transfer or a reversal. */
  | { readonly posted: PostedTransfer }
  /** A hold placed, captured (then with its transfer) or voided. */
  | { readonly held: Hold; readonly transfer?: PostedTransfer | undefined }
  | { readonly refused: AppError };

/** What became of a request that was carried out. */
export interface Submission {
  /** In the order of the postings. */
  readonly outcomes: readonly PostingOutcome[];
  /** What `PostingRequest.answer` rendered. */
  readonly answer?: AnswerContent | undefined;
  /** Set when the answer was stored. */
  readonly createdAt?: Date | undefined;
}
