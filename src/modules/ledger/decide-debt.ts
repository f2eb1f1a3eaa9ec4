import { Money } from '../../kernel/money.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { debtAccount } from './account.js';
import type { Draft, DraftAccount } from './draft.js';
import { accountNotFound } from './ledger.errors.js';
import { type PostingOutcome, REPAYMENT_CATEGORY, SHORTFALL_CATEGORY, type TransferPosting } from './posting.js';
import { refuseMove } from './refusals.js';

/** Who lends and collects: nobody asks for it. */
export const LEDGER_ACTOR = 'system:ledger';

/**
 * A transfer that is posted whether or not its payer can pay. What is not available on the account is lent to it first, so
 * that the transfer itself is whole: the reference, the amount and the reversal are those of any other. From a frozen
 * account nothing moves: the debt account pays all of it, and is repaid once the account is thawed.
 *
 * @param posting has passed `checkPosting`
 */
export function decideWithShortfall(
  draft: Draft,
  posting: TransferPosting,
  wallet: DraftAccount,
  credit: DraftAccount,
  by: RequestContext,
): PostingOutcome {
  const { kind, amount } = posting;
  const debt = draft.account(debtAccount(wallet.ref));
  if (!debt) return { refused: accountNotFound() };
  const debit = wallet.frozen ? debt : wallet;
  const loan = wallet.frozen ? undefined : lackingOn(wallet, amount);
  const refused = (loan && refuseMove(debt, wallet, loan)) ?? refuseMove(debit, credit, amount);
  if (refused) return { refused };
  if (loan) {
    const note = { category: SHORTFALL_CATEGORY };
    draft.moveUnasked({ kind: 'CREDIT', debit: debt, credit: wallet, amount: loan, note }, collector(by));
  }
  return { posted: draft.move({ kind, debit, credit, amount, note: posting }, by) };
}

/**
 * Repays what users owe from what they have, before anything else is decided: a hold that is over or a thawed account may
 * have made it available. Like what has expired, no refusal of a batch takes it back.
 */
export function repayStanding(draft: Draft): void {
  for (const key of draft.debtors) {
    const wallet = draft.account(key);
    if (wallet) repay(draft, wallet, { actor: LEDGER_ACTOR });
  }
}

/** Repays what users owe from what a posting has made available to them, so that they cannot spend it. */
export function repayGained(draft: Draft, by: RequestContext): void {
  for (const wallet of draft.takeGained()) repay(draft, wallet, collector(by));
}

function repay(draft: Draft, wallet: DraftAccount, by: RequestContext): void {
  const debt = draft.account(debtAccount(wallet.ref));
  if (!debt || wallet.frozen) return;
  const [available, owed] = [wallet.balance - wallet.held, -debt.balance];
  const minor = available < owed ? available : owed;
  if (minor <= 0n) return;
  const amount = Money.of(minor, wallet.ref.currency);
  const note = { category: REPAYMENT_CATEGORY };
  draft.moveUnasked({ kind: 'DEBIT', debit: wallet, credit: debt, amount, note }, by);
}

/** Undefined where nothing is lacking. */
function lackingOn({ balance, held, allowNegative }: DraftAccount, { minor, currency }: Money): Money | undefined {
  const lacking = minor - (balance - held);
  return allowNegative || lacking <= 0n ? undefined : Money.of(lacking, currency);
}

/** The ledger, in the course of somebody's request. */
function collector({ requestId }: RequestContext): RequestContext {
  return { actor: LEDGER_ACTOR, requestId };
}
