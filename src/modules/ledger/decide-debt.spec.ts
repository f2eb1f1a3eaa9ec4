import { describe, expect, it } from '@jest/globals';
import type { NewId } from '../../kernel/ids.js';
import { MAX_AMOUNT, Money } from '../../kernel/money.js';
import { type AccountKey, accountName, debtAccount, systemAccount, userAccount } from './account.js';
import { type Decidable, decide, type Decision } from './decide.js';
import type { AccountId, HoldId, TransferId } from './ids.js';
import type { AccountState, BookedHold, LedgerState } from './ledger-state.js';
import type { Posting, PostingOutcome } from './posting.js';

const ALICE = userAccount('alice', 'USD');
const OWED = debtAccount(ALICE);
const BOB = userAccount('bob', 'USD');
const BANK = systemAccount('disputes', 'USD');
const NOW = new Date('2026-03-01T12:00:00.000Z');
const HOLD = '01900000-0000-7000-8000-0000000000aa' as HoldId;

let ids = 0;
const newId = () => `01900000-0000-7000-8000-${String(++ids).padStart(12, '0')}` as NewId;

function usd(minor: bigint): Money {
  return Money.of(minor, 'USD');
}

function account(key: AccountKey, balance: bigint, more: Partial<AccountState> = {}): AccountState {
  const ref = { ...key, id: `id-of-${accountName(key)}` as AccountId };
  const [allowNegative, isDebtor] = [key.kind !== 'user', key.owner === 'alice' && key.kind === 'user'];
  return { ref, balance, held: 0n, sequence: 7, allowNegative, frozen: false, isDebtor, ...more };
}

/** Alice with what she has and what she owes, Bob with 100, and the bank. */
function stateOf(
  balance: bigint,
  owed: bigint,
  alice: Partial<AccountState> = {},
  more: Partial<LedgerState> = {},
): LedgerState {
  const accounts = [account(ALICE, balance, alice), account(OWED, -owed), account(BOB, 100n), account(BANK, 0n)];
  return {
    now: NOW,
    accounts: new Map(accounts.map((each) => [accountName(each.ref), each])),
    debtors: [ALICE],
    holds: new Map<string, BookedHold>(),
    due: [],
    transfers: new Map(),
    reversed: new Set<string>(),
    references: new Set<string>(),
    ...more,
  };
}

function holdOf(key: AccountKey, credit: AccountKey, amount: bigint, expiresAt: Date): BookedHold {
  const refs = {
    account: { ...key, id: 'a' as AccountId },
    credit: { ...credit, id: 'b' as AccountId },
  };
  const rest = { captured: null, description: null, placedBy: 'test', requestId: null, transferId: null };
  return {
    id: HOLD,
    ...refs,
    amount: usd(amount),
    status: 'ACTIVE',
    expiresAt,
    createdAt: NOW,
    resolvedAt: null,
    ...rest,
  };
}

function decideAll(state: LedgerState, postings: readonly Posting[], more: Partial<Decidable> = {}): Decision {
  return decide(state, [{ postings, mode: 'independent', by: { actor: 'test' }, ...more }], newId);
}

function codeOf(outcome: PostingOutcome): string {
  if ('refused' in outcome) return outcome.refused.code;
  return 'posted' in outcome ? 'posted' : outcome.held.status;
}

function codes(decision: Decision): string[] {
  return decision.outcomes.flat().map(codeOf);
}

/** For example `alice 30 disputes`, in the order of the books; `!` is a debt. */
function moves({ transfers }: Decision): string[] {
  const name = ({ kind, owner }: AccountKey) => (kind === 'debt' ? `!${owner}` : owner);
  return transfers.map(({ debit, credit, amount }) => `${name(debit)} ${amount.minor} ${name(credit)}`);
}

function move(debit: AccountKey, credit: AccountKey, amount: bigint): Posting {
  return { type: 'transfer', kind: 'TRANSFER', debit, credit, amount: usd(amount) };
}

/** The bank takes it, whether or not it is there. */
function take(amount: bigint, reference = `r-${newId()}`): Posting {
  const transfer = { type: 'transfer', kind: 'DEBIT', debit: ALICE, credit: BANK, amount: usd(amount) } as const;
  return { ...transfer, category: 'payment', reference, shortfall: 'debt' };
}

describe('a withdrawal with a shortfall', () => {
  it('takes what is there like any debit, and nothing is owed', () => {
    expect(moves(decideAll(stateOf(60n, 0n), [take(60n)]))).toEqual(['alice 60 disputes']);
  });

  it('is lent what is lacking, and is one whole transfer with its reference all the same', () => {
    const decision = decideAll(stateOf(25n, 0n), [take(60n, 'r1')]);
    expect(moves(decision)).toEqual(['!alice 35 alice', 'alice 60 disputes']);
    expect(decision.outcomes[0]).toMatchObject([
      { posted: { amount: usd(60n), reference: 'r1', debitBalanceAfter: 0n } },
    ]);
    expect(decision.unasked).toMatchObject([{ kind: 'CREDIT', category: 'debt_shortfall', actor: 'system:ledger' }]);
  });

  it('leaves alone what is held', () => {
    expect(moves(decideAll(stateOf(100n, 0n, { held: 90n }), [take(60n)]))).toEqual([
      '!alice 50 alice',
      'alice 60 disputes',
    ]);
  });

  it('adds to what is owed already', () => {
    const { transfers } = decideAll(stateOf(0n, 40n), [take(60n)]);
    expect(transfers[0]).toMatchObject({ debitBalanceAfter: -100n, creditBalanceAfter: 60n });
  });

  it('from a frozen account is all debt: nothing moves there', () => {
    const decision = decideAll(stateOf(100n, 0n, { frozen: true }), [take(60n, 'r1'), move(BOB, ALICE, 1n)]);
    expect(codes(decision)).toEqual(['posted', 'ACCOUNT_FROZEN']);
    expect(moves(decision)).toEqual(['!alice 60 disputes']);
    expect(decision.outcomes[0]).toContainEqual({
      posted: expect.objectContaining({ reference: 'r1', debit: { ...OWED, id: expect.any(String) } }),
    });
  });

  it('from an account that may be below zero owes nothing besides', () => {
    expect(moves(decideAll(stateOf(10n, 0n, { allowNegative: true }), [take(60n)]))).toEqual(['alice 60 disputes']);
  });

  it('is posted once under its reference, frozen or not', () => {
    const decision = decideAll(stateOf(0n, 0n), [take(60n, 'r1'), take(60n, 'r1')]);
    expect(codes(decision)).toEqual(['posted', 'REFERENCE_ALREADY_USED']);
    expect(moves(decision)).toEqual(['!alice 60 alice', 'alice 60 disputes']);
  });

  it('beyond what can be owed is refused, and lends nothing', () => {
    const decision = decideAll(stateOf(0n, MAX_AMOUNT), [take(1n)]);
    expect([codes(decision), moves(decision)]).toEqual([['BALANCE_OVERFLOW'], []]);
  });

  it('is a matter between a service, a user and a system account', () => {
    const state = stateOf(0n, 0n);
    const odd: Posting[] = [
      { ...take(1n), credit: BOB } as Posting,
      { ...take(1n), debit: BANK, credit: ALICE } as Posting,
      { ...take(1n), debit: BANK, credit: systemAccount('fees', 'USD') } as Posting,
    ];
    expect(codes(decideAll(state, odd))).toEqual(odd.map(() => 'VALIDATION_FAILED'));
    expect(codes(decideAll(state, [take(1n)], { onlyOwner: 'alice' }))).toEqual(['VALIDATION_FAILED']);
  });

  it('goes with the atomic batch it is in', () => {
    const decision = decideAll(stateOf(0n, 0n), [take(60n), move(ALICE, BOB, 1n)], { mode: 'atomic' });
    expect([moves(decision), decision.unasked]).toEqual([[], []]);
  });
});

describe('a debt account', () => {
  it('is nobody’s to post to or out of', () => {
    const postings = [move(BOB, OWED, 1n), move(OWED, BOB, 1n), move(BANK, OWED, 1n), move(OWED, BANK, 1n)];
    const hold: Posting = { type: 'hold', account: BOB, credit: OWED, amount: usd(1n), expiresInSeconds: 60 };
    expect(codes(decideAll(stateOf(0n, 50n), [...postings, hold]))).toEqual([...postings, hold].map(() => 'NOT_FOUND'));
  });

  it('keeps what it was repaid: neither that nor what it lent is reversed', () => {
    const before = decideAll(stateOf(0n, 50n), [move(BOB, ALICE, 20n), take(60n)]);
    const transfers = new Map(before.transfers.map((each) => [each.id, each]));
    const codesOf = (kinds: readonly { id: TransferId }[]) =>
      codes(
        decideAll(
          stateOf(0n, 50n, {}, { transfers }),
          kinds.map(({ id }) => ({ type: 'reverse', transferId: id })),
        ),
      );
    expect(before.unasked).toHaveLength(2);
    expect(codesOf(before.unasked)).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  });
});

describe('what a debtor gets', () => {
  it('repays first, so that only the rest can be spent', () => {
    const decision = decideAll(stateOf(0n, 30n), [move(BOB, ALICE, 50n), move(ALICE, BOB, 21n), move(ALICE, BOB, 20n)]);
    expect(codes(decision)).toEqual(['posted', 'INSUFFICIENT_FUNDS', 'posted']);
    expect(moves(decision)).toEqual(['bob 50 alice', 'alice 30 !alice', 'alice 20 bob']);
    expect(decision.unasked).toMatchObject([{ kind: 'DEBIT', category: 'debt_repayment', actor: 'system:ledger' }]);
  });

  it('repays once in sum, however many credits a batch has', () => {
    const credits = [12n, 12n, 12n].map((amount) => move(BOB, ALICE, amount));
    expect(moves(decideAll(stateOf(0n, 30n), credits)).filter((each) => each.endsWith('!alice'))).toEqual([
      'alice 12 !alice',
      'alice 12 !alice',
      'alice 6 !alice',
    ]);
  });

  it('by a capture or a reversal repays as well, and what is held of it does not', () => {
    const hold = holdOf(BOB, ALICE, 20n, new Date(NOW.getTime() + 1));
    const state = stateOf(0n, 30n, {}, { holds: new Map([[HOLD, hold]]) });
    expect(moves(decideAll(state, [{ type: 'capture', holdId: HOLD }]))).toEqual(['bob 20 alice', 'alice 20 !alice']);

    const before = decideAll(stateOf(5n, 0n), [move(ALICE, BOB, 5n)]);
    const transfers = new Map(before.transfers.map((each) => [each.id, each]));
    const reversals = before.transfers.map(({ id }): Posting => ({ type: 'reverse', transferId: id }));
    const reversal = decideAll(stateOf(0n, 30n, {}, { transfers }), reversals);
    expect(moves(reversal)).toEqual(['bob 5 alice', 'alice 5 !alice']);
  });

  it('by a hold that is voided or over repays before anything else is decided', () => {
    const over = holdOf(ALICE, BOB, 20n, NOW);
    const held = { held: 20n };
    const expired = decideAll(stateOf(20n, 30n, held, { due: [over] }), [move(ALICE, BOB, 1n)]);
    expect([codes(expired), moves(expired)]).toEqual([['INSUFFICIENT_FUNDS'], ['alice 20 !alice']]);
    const holds = new Map([[HOLD, { ...over, expiresAt: new Date(NOW.getTime() + 1) }]]);
    const voided = decideAll(stateOf(20n, 30n, held, { holds }), [
      { type: 'void', holdId: HOLD },
      move(ALICE, BOB, 1n),
    ]);
    expect([codes(voided), moves(voided)]).toEqual([['VOIDED', 'INSUFFICIENT_FUNDS'], ['alice 20 !alice']]);
  });

  it('had while the account was frozen repays once it is thawed, and not before', () => {
    expect(moves(decideAll(stateOf(50n, 30n, { frozen: true }), []))).toEqual([]);
    expect(moves(decideAll(stateOf(50n, 30n), [move(ALICE, BOB, 21n)]))).toEqual(['alice 30 !alice']);
  });

  it('in an atomic batch that is refused is taken back with what it repaid', () => {
    const state = stateOf(0n, 30n);
    const decision = decideAll(state, [move(BOB, ALICE, 10n), move(ALICE, BOB, 1n)], { mode: 'atomic' });
    expect([codes(decision), moves(decision)]).toEqual([['BATCH_REJECTED', 'INSUFFICIENT_FUNDS'], []]);
  });
});
