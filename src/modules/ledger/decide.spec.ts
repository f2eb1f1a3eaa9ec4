import { describe, expect, it } from '@jest/globals';
import type { NewId } from '../../kernel/ids.js';
import { MAX_AMOUNT, Money } from '../../kernel/money.js';
import { type AccountKey, accountName, systemAccount, userAccount } from './account.js';
import { type Decidable, decide, type Decision } from './decide.js';
import type { AccountId, HoldId, TransferId } from './ids.js';
import type { AccountState, BookedHold, BookedTransfer, LedgerState } from './ledger-state.js';
import type { Posting, PostingOutcome } from './posting.js';

function codeOf(outcome: PostingOutcome | undefined): string {
  if (!outcome) return 'nothing';
  if ('refused' in outcome) return outcome.refused.code;
  return 'posted' in outcome ? 'posted' : outcome.held.status;
}

const ALICE = userAccount('alice', 'USD');
const BOB = userAccount('bob', 'USD');
const WORLD = systemAccount('external', 'USD');
const NOW = new Date('2026-03-01T12:00:00.000Z');
const HOLD = '01900000-0000-7000-8000-0000000000aa' as HoldId;
const TRANSFER = '01900000-0000-7000-8000-0000000000bb' as TransferId;
const OTHER_TRANSFER = '01900000-0000-7000-8000-0000000000cc' as TransferId;

let ids = 0;
const newId = () => `01900000-0000-7000-8000-${String(++ids).padStart(12, '0')}` as NewId;

function usd(minor: bigint): Money {
  return Money.of(minor, 'USD');
}

function account(key: AccountKey, balance: bigint, more: Partial<AccountState> = {}): AccountState {
  const ref = { ...key, id: `id-of-${key.owner}` as AccountId };
  return {
    ref,
    balance,
    held: 0n,
    sequence: 7,
    allowNegative: key.kind !== 'user',
    frozen: false,
    isDebtor: false,
    ...more,
  };
}

function hold(more: Partial<BookedHold> = {}): BookedHold {
  return {
    id: HOLD,
    account: account(ALICE, 0n).ref,
    credit: account(BOB, 0n).ref,
    amount: usd(30n),
    captured: null,
    status: 'ACTIVE',
    description: 'room 12',
    placedBy: 'test',
    requestId: null,
    expiresAt: new Date(NOW.getTime() + 1),
    transferId: null,
    createdAt: NOW,
    resolvedAt: null,
    ...more,
  };
}

function past(more: Partial<BookedTransfer> = {}): BookedTransfer {
  return {
    id: TRANSFER,
    kind: 'TRANSFER',
    debit: account(ALICE, 0n).ref,
    credit: account(BOB, 0n).ref,
    amount: usd(5n),
    category: null,
    reference: null,
    description: null,
    metadata: null,
    reverses: null,
    holdId: null,
    createdAt: NOW,
    debitBalanceAfter: 0n,
    debitSequence: 1,
    creditBalanceAfter: 5n,
    creditSequence: 1,
    actor: 'test',
    requestId: null,
    ...more,
  };
}

function stateOf(accounts: readonly AccountState[], more: Partial<LedgerState> = {}): LedgerState {
  return {
    now: NOW,
    accounts: new Map(accounts.map((each) => [accountName(each.ref), each])),
    debtors: [],
    holds: new Map(),
    due: [],
    transfers: new Map(),
    reversed: new Set(),
    references: new Set(),
    ...more,
  };
}

function decideAll(state: LedgerState, postings: readonly Posting[], more: Partial<Decidable> = {}): Decision {
  return decide(state, [{ postings, mode: 'independent', by: { actor: 'test' }, ...more }], newId);
}

function codes(...given: Parameters<typeof decideAll>): string[] {
  return decideAll(...given)
    .outcomes.flat()
    .map(codeOf);
}

function move(debit: AccountKey, credit: AccountKey, amount: bigint): Posting {
  return { type: 'transfer', kind: 'TRANSFER', debit, credit, amount: usd(amount) };
}

describe('a transfer', () => {
  it('carries both balances and sequences after it, and the time of the batch', () => {
    const { transfers } = decideAll(stateOf([account(ALICE, 100n), account(BOB, 5n)]), [move(ALICE, BOB, 60n)]);
    expect(transfers).toMatchObject([
      {
        debitBalanceAfter: 40n,
        debitSequence: 8,
        creditBalanceAfter: 65n,
        creditSequence: 8,
        amount: usd(60n),
        createdAt: NOW,
      },
    ]);
  });

  it('may spend what the one before it brought in, and nothing that it spent', () => {
    const state = stateOf([account(ALICE, 10n), account(BOB, 0n)]);
    expect(
      codes(state, [move(BOB, ALICE, 1n), move(ALICE, BOB, 10n), move(BOB, ALICE, 10n), move(BOB, ALICE, 1n)]),
    ).toEqual(['INSUFFICIENT_FUNDS', 'posted', 'posted', 'INSUFFICIENT_FUNDS']);
  });

  it('cannot spend what is held', () => {
    const state = stateOf([account(ALICE, 100n, { held: 41n }), account(BOB, 0n)]);
    expect(codes(state, [move(ALICE, BOB, 60n)])).toEqual(['INSUFFICIENT_FUNDS']);
    expect(codes(state, [move(ALICE, BOB, 59n)])).toEqual(['posted']);
  });

  it('says what is available when that is not enough', () => {
    const { outcomes } = decideAll(stateOf([account(ALICE, 100n, { held: 41n }), account(BOB, 0n)]), [
      move(ALICE, BOB, 60n),
    ]);
    expect(outcomes[0]?.[0]).toMatchObject({ refused: { status: 402, details: { available: 59, amount: 60 } } });
  });

  it('takes an account below zero only if it may go there', () => {
    const state = stateOf([account(ALICE, 0n, { allowNegative: true }), account(WORLD, -5n), account(BOB, 0n)]);
    expect(codes(state, [move(ALICE, BOB, 9n), move(WORLD, BOB, 9n), move(BOB, ALICE, 19n)])).toEqual([
      'posted',
      'posted',
      'INSUFFICIENT_FUNDS',
    ]);
  });

  it.each([
    ['from', [account(ALICE, 100n, { frozen: true }), account(BOB, 0n)]],
    ['to', [account(ALICE, 100n), account(BOB, 0n, { frozen: true })]],
  ])('is refused %s a frozen account', (_, accounts) => {
    expect(codes(stateOf(accounts), [move(ALICE, BOB, 1n)])).toEqual(['ACCOUNT_FROZEN']);
  });

  it('is refused when a balance would leave what a double holds exactly', () => {
    const full = stateOf([account(ALICE, 100n), account(BOB, MAX_AMOUNT - 1n), account(WORLD, 1n - MAX_AMOUNT)]);
    expect(codes(full, [move(ALICE, BOB, 2n), move(ALICE, BOB, 1n), move(WORLD, ALICE, 2n)])).toEqual([
      'BALANCE_OVERFLOW',
      'posted',
      'BALANCE_OVERFLOW',
    ]);
  });

  it('uses a reference once, whichever accounts it moves between', () => {
    const state = stateOf([account(ALICE, 9n), account(BOB, 9n)], { references: new Set(['=settle\0p1']) });
    const with_ = (posting: Posting, category: string, reference: string) => ({ ...posting, category, reference });
    expect(
      codes(state, [
        with_(move(ALICE, BOB, 1n), 'settle', 'p1'),
        with_(move(ALICE, BOB, 1n), 'settle', 'p2'),
        with_(move(BOB, ALICE, 1n), 'settle', 'p2'),
        with_(move(BOB, ALICE, 1n), 'usage', 'p2'),
      ]),
    ).toEqual(['REFERENCE_ALREADY_USED', 'posted', 'REFERENCE_ALREADY_USED', 'posted']);
  });
});

describe('an end user', () => {
  const state = () =>
    stateOf([account(ALICE, 100n, { held: 30n }), account(BOB, 100n)], {
      holds: new Map([[HOLD, hold()]]),
      transfers: new Map([[TRANSFER, past()]]),
    });

  it('spends from their own account only; that of another does not exist for them', () => {
    expect(codes(state(), [move(ALICE, BOB, 1n), move(BOB, ALICE, 1n)], { onlyOwner: 'alice' })).toEqual([
      'posted',
      'NOT_FOUND',
    ]);
  });

  it('cannot take from a system account that has their name', () => {
    const world = account(WORLD, 0n);
    const posting = move(WORLD, ALICE, 1n);
    expect(codes(stateOf([account(ALICE, 0n), world]), [posting], { onlyOwner: 'external' })).toEqual(['NOT_FOUND']);
  });

  it('resolves holds they placed themselves, not those of a service or of others', () => {
    const capture: Posting = { type: 'capture', holdId: HOLD };
    expect(codes(state(), [capture], { onlyOwner: 'alice', by: { actor: 'user:alice' } })).toEqual(['FORBIDDEN']);
    expect(codes(state(), [capture], { onlyOwner: 'bob', by: { actor: 'user:bob' } })).toEqual(['NOT_FOUND']);
    expect(codes(state(), [capture], { onlyOwner: 'alice', by: { actor: 'test' } })).toEqual(['CAPTURED']);
  });

  it('reverses what they received, not what they paid', () => {
    const reverse: Posting = { type: 'reverse', transferId: TRANSFER };
    expect(codes(state(), [reverse], { onlyOwner: 'alice' })).toEqual(['NOT_FOUND']);
    expect(codes(state(), [reverse], { onlyOwner: 'bob' })).toEqual(['posted']);
  });
});

describe('a hold', () => {
  const place: Posting = { type: 'hold', account: ALICE, credit: BOB, amount: usd(30n), expiresInSeconds: 60 };

  it('reserves: the balance stays, what is available shrinks', () => {
    const { placed, transfers, outcomes } = decideAll(stateOf([account(ALICE, 50n), account(BOB, 0n)]), [
      place,
      place,
      move(ALICE, BOB, 20n),
    ]);
    expect(outcomes.flat().map(codeOf)).toEqual(['ACTIVE', 'INSUFFICIENT_FUNDS', 'posted']);
    expect(placed).toMatchObject([
      { amount: usd(30n), status: 'ACTIVE', placedBy: 'test', expiresAt: new Date(NOW.getTime() + 60_000) },
    ]);
    expect(transfers).toMatchObject([{ debitBalanceAfter: 30n }]);
  });

  it('captured in part pays that part, releases the rest and tells what for', () => {
    const accounts = [account(ALICE, 30n, { held: 30n }), account(BOB, 0n)];
    const state = stateOf(accounts, { holds: new Map([[HOLD, hold()]]) });
    const { resolved, transfers, outcomes } = decideAll(state, [
      { type: 'capture', holdId: HOLD.toUpperCase() as HoldId, amount: 10n },
      move(ALICE, BOB, 20n),
    ]);
    expect(outcomes.flat().map(codeOf)).toEqual(['CAPTURED', 'posted']);
    expect(resolved).toMatchObject([{ captured: usd(10n), transferId: transfers[0]?.id, resolvedAt: NOW }]);
    expect(transfers[0]).toMatchObject({ kind: 'CAPTURE', holdId: HOLD, amount: usd(10n), description: 'room 12' });
  });

  it('that is due is released before anything is decided: its money is there, and it cannot be captured or voided', () => {
    const over = hold({ expiresAt: NOW });
    const accounts = [account(ALICE, 30n, { held: 30n }), account(BOB, 0n)];
    const state = stateOf(accounts, { holds: new Map([[HOLD, over]]), due: [over] });
    const decision = decideAll(state, [
      { type: 'capture', holdId: HOLD },
      { type: 'void', holdId: HOLD },
      move(ALICE, BOB, 30n),
    ]);
    expect(decision.outcomes.flat().map(codeOf)).toEqual(['HOLD_EXPIRED', 'HOLD_EXPIRED', 'posted']);
    expect(decision.expired).toEqual([{ ...over, status: 'EXPIRED', resolvedAt: NOW }]);
    expect(decision.resolved).toEqual(decision.expired);
  });

  it('that is due stays released when the batch that found it is refused, and when there is none', () => {
    const over = hold({ expiresAt: new Date(NOW.getTime() - 5000) });
    const state = () => stateOf([account(ALICE, 30n, { held: 30n }), account(BOB, 0n)], { due: [over] });
    const expired = [{ ...over, status: 'EXPIRED', resolvedAt: over.expiresAt }];
    const refused = decideAll(state(), [move(ALICE, BOB, 30n), move(ALICE, BOB, 1n)], { mode: 'atomic' });
    expect(refused.outcomes.flat().map(codeOf)).toEqual(['BATCH_REJECTED', 'INSUFFICIENT_FUNDS']);
    expect([refused.resolved, refused.transfers]).toEqual([expired, []]);
    expect(decide(state(), [], newId)).toMatchObject({ outcomes: [], resolved: expired });
  });

  it('of more than is available is refused for that first, like a transfer', () => {
    const state = stateOf([account(ALICE, 29n, { frozen: true }), account(BOB, 0n)]);
    expect(codes(state, [place, move(ALICE, BOB, 30n)])).toEqual(['INSUFFICIENT_FUNDS', 'INSUFFICIENT_FUNDS']);
  });

  it('of a frozen account may be voided, not captured', () => {
    const accounts = [account(ALICE, 60n, { held: 30n, frozen: true }), account(BOB, 0n)];
    const state = stateOf(accounts, { holds: new Map([[HOLD, hold()]]) });
    expect(codes(state, [place, { type: 'capture', holdId: HOLD }, { type: 'void', holdId: HOLD }])).toEqual([
      'ACCOUNT_FROZEN',
      'ACCOUNT_FROZEN',
      'VOIDED',
    ]);
  });
});

describe('a reversal', () => {
  it('gives back the same amount, once, and is final itself', () => {
    const accounts = [account(ALICE, 0n), account(BOB, 5n)];
    const reversal = past({ id: OTHER_TRANSFER, kind: 'REVERSAL', reverses: newId() });
    const transfers = new Map([past(), reversal].map((each) => [each.id, each]));
    const decision = decideAll(stateOf(accounts, { transfers }), [
      { type: 'reverse', transferId: TRANSFER },
      { type: 'reverse', transferId: TRANSFER.toUpperCase() as TransferId },
      { type: 'reverse', transferId: OTHER_TRANSFER },
    ]);
    expect(decision.outcomes.flat().map(codeOf)).toEqual(['posted', 'ALREADY_REVERSED', 'REVERSAL_NOT_REVERSIBLE']);
    expect(decision.transfers).toMatchObject([
      { kind: 'REVERSAL', reverses: TRANSFER, amount: usd(5n), debit: BOB, credit: ALICE, debitBalanceAfter: 0n },
    ]);
  });

  it('needs the money to be there still', () => {
    const state = stateOf([account(ALICE, 0n), account(BOB, 4n)], { transfers: new Map([[TRANSFER, past()]]) });
    expect(codes(state, [{ type: 'reverse', transferId: TRANSFER }])).toEqual(['INSUFFICIENT_FUNDS']);
  });
});

describe('an atomic batch', () => {
  const accounts = () => [account(ALICE, 10n), account(BOB, 0n)];
  const atomic = { mode: 'atomic' } as const;

  it('with one refusal posts nothing, and tells which it was', () => {
    const decision = decideAll(
      stateOf(accounts()),
      [move(ALICE, BOB, 6n), move(ALICE, BOB, 6n), move(ALICE, BOB, 1n)],
      atomic,
    );
    expect(decision.outcomes.flat().map(codeOf)).toEqual(['BATCH_REJECTED', 'INSUFFICIENT_FUNDS', 'BATCH_REJECTED']);
    expect([decision.transfers, decision.placed, decision.resolved]).toEqual([[], [], []]);
  });

  it('tells all that is wrong on its face at once', () => {
    const postings = [move(ALICE, BOB, 0n), move(ALICE, BOB, 1n), move(ALICE, ALICE, 1n)];
    expect(codes(stateOf(accounts()), postings, atomic)).toEqual(['INVALID_AMOUNT', 'BATCH_REJECTED', 'SELF_TRANSFER']);
  });

  it('that was rolled back leaves the next request the money, the hold, the reference and the reversal', () => {
    const state = stateOf([account(ALICE, 40n, { held: 30n }), account(BOB, 5n)], {
      holds: new Map([[HOLD, hold()]]),
      transfers: new Map([[TRANSFER, past()]]),
    });
    const steps: Posting[] = [
      { ...move(ALICE, BOB, 10n), reference: 'r1' } as Posting,
      { type: 'capture', holdId: HOLD },
      { type: 'reverse', transferId: TRANSFER },
    ];
    const by = { actor: 'test' };
    const decision = decide(
      state,
      [
        { postings: [...steps, move(ALICE, BOB, 99n)], mode: 'atomic', by },
        { postings: steps, mode: 'atomic', by },
      ],
      newId,
    );
    expect(decision.outcomes[1]?.map(codeOf)).toEqual(['posted', 'CAPTURED', 'posted']);
    expect(decision.transfers).toMatchObject([
      { debitBalanceAfter: 30n, debitSequence: 8, creditSequence: 8 },
      { debitBalanceAfter: 0n, debitSequence: 9, creditSequence: 9 },
      { debitBalanceAfter: 40n, debitSequence: 10, creditBalanceAfter: 5n, creditSequence: 10 },
    ]);
  });
});
