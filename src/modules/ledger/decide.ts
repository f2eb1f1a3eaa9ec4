import type { AppError } from '../../kernel/app-error.js';
import type { NewId } from '../../kernel/ids.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { checkPosting } from './check-posting.js';
import { decideHold, decideResolution, expireDue } from './decide-hold.js';
import { repayGained, repayStanding } from './decide-debt.js';
import { decideReversal, decideTransfer } from './decide-transfer.js';
import { Draft } from './draft.js';
import { BatchRejectedError } from './ledger.errors.js';
import type { BookedHold, BookedTransfer, LedgerState } from './ledger-state.js';
import type { Posting, PostingOutcome } from './posting.js';

/** Of a `PostingRequest`, what its decision depends on. */
export interface Decidable {
  readonly postings: readonly Posting[];
  readonly mode: 'atomic' | 'independent';
  readonly by: RequestContext;
  readonly onlyOwner?: string | undefined;
}

/** What to answer and what to write. */
export interface Decision {
  /** Of the state. */
  readonly now: Date;
  /** Of each request, of each of its postings, in order. */
  readonly outcomes: readonly (readonly PostingOutcome[])[];
  /** In the order of posting, which is that of their sequences. */
  readonly transfers: readonly BookedTransfer[];
  readonly placed: readonly BookedHold[];
  /** As they are now. */
  readonly resolved: readonly BookedHold[];
  /** Of these, the ones nobody asked to resolve: their time was over. */
  readonly expired: readonly BookedHold[];
  /** Of the transfers, those nobody asked for: what was lent to debtors and what they have repaid. */
  readonly unasked: readonly BookedTransfer[];
}

/**
 * Releases what has expired and repays what is owed, then decides requests in the order they came; each sees the effect of those before it. Pure: no
 * clock, no database, and `state` stays as it is. All rules of money are here and in `checkPosting`; the database checks what
 * comes of them.
 *
 * @param newId makes the ids of transfers and holds
 */
export function decide(state: LedgerState, requests: readonly Decidable[], newId: () => NewId): Decision {
  const draft = new Draft(state, newId);
  const expired = expireDue(draft);
  repayStanding(draft);
  const outcomes = requests.map((request) =>
    request.mode === 'atomic' && request.postings.length > 1
      ? decideTogether(draft, request)
      : request.postings.map((posting) => decideOne(draft, posting, request)),
  );
  return {
    now: draft.now,
    outcomes,
    transfers: draft.transfers,
    placed: draft.placed,
    resolved: draft.resolved,
    expired,
    unasked: draft.unasked,
  };
}

/** Linked postings: the first that is refused ends it, and with it goes what the others did. */
function decideTogether(draft: Draft, request: Decidable): PostingOutcome[] {
  const { postings, onlyOwner } = request;
  const outcomes: PostingOutcome[] = [];
  let refusals: (AppError | undefined)[] = postings.map((posting) => checkPosting(posting, onlyOwner));
  if (refusals.every((refusal) => refusal === undefined)) {
    draft.together(() =>
      postings.every((posting) => {
        const outcome = decideChecked(draft, posting, request);
        outcomes.push(outcome);
        return !('refused' in outcome);
      }),
    );
    const last = outcomes.at(-1);
    if (last === undefined || !('refused' in last)) return outcomes;
    refusals = postings.map((_, index) => (index === outcomes.length - 1 ? last.refused : undefined));
  }
  return refusals.map((refused) => ({ refused: refused ?? new BatchRejectedError() }));
}

function decideOne(draft: Draft, posting: Posting, request: Decidable): PostingOutcome {
  const refused = checkPosting(posting, request.onlyOwner);
  return refused ? { refused } : decideChecked(draft, posting, request);
}

function decideChecked(draft: Draft, posting: Posting, request: Decidable): PostingOutcome {
  const outcome = decideAlone(draft, posting, request);
  repayGained(draft, request.by);
  return outcome;
}

function decideAlone(draft: Draft, posting: Posting, { by, onlyOwner }: Decidable): PostingOutcome {
  switch (posting.type) {
    case 'transfer':
      return decideTransfer(draft, posting, by);
    case 'reverse':
      return decideReversal(draft, posting, by, onlyOwner);
    case 'hold':
      return decideHold(draft, posting, by);
    case 'capture':
    case 'void':
      return decideResolution(draft, posting, by, onlyOwner);
  }
}
