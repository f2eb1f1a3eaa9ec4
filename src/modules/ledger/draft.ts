import type { NewId } from '../../kernel/ids.js';
import type { Money } from '../../kernel/money.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { type AccountKey, accountName } from './account.js';
import type { Hold } from './hold.js';
import type { HoldId, TransferId } from './ids.js';
import {
  type AccountState,
  type BookedHold,
  type BookedTransfer,
  type LedgerState,
  referenceName,
} from './ledger-state.js';
import type { TransferNote } from './posting.js';
import type { TransferKind } from './transfer.js';

/** An account in the course of a batch. */
export type DraftAccount = { -readonly [Member in 'balance' | 'held' | 'sequence']: AccountState[Member] } & Omit<
  AccountState,
  'balance' | 'held' | 'sequence'
>;

/** Money about to move. */
export interface Movement {
  readonly kind: TransferKind;
  readonly debit: DraftAccount;
  readonly credit: DraftAccount;
  readonly amount: Money;
  readonly note?: TransferNote;
  readonly reverses?: TransferId;
  readonly holdId?: HoldId;
}

/** The ledger as the postings decided so far leave it, and the rows that make it so. It checks no rule. */
export class Draft {
  readonly transfers: BookedTransfer[] = [];
  readonly placed: BookedHold[] = [];
  readonly resolved: BookedHold[] = [];
  /** Of the transfers, those nobody asked for: what was lent and repaid. */
  readonly unasked: BookedTransfer[] = [];

  private readonly accounts = new Map<string, DraftAccount>();
  private readonly holds = new Map<string, BookedHold>();
  private readonly reversed = new Set<string>();
  private readonly references = new Set<string>();
  /** Debtors on which something may have become available. */
  private gained = new Set<DraftAccount>();
  /** What takes back the steps of the group under way; undefined outside of one. */
  private undo: (() => void)[] | undefined;

  constructor(
    private readonly state: LedgerState,
    private readonly newId: () => NewId,
  ) {}

  get now(): Date {
    return this.state.now;
  }

  get due(): readonly BookedHold[] {
    return this.state.due;
  }

  get debtors(): readonly AccountKey[] {
    return this.state.debtors;
  }

  /** Debtors on which something may have become available since this was asked last. */
  takeGained(): Iterable<DraftAccount> {
    if (this.gained.size === 0) return [];
    const gained = this.gained;
    this.gained = new Set();
    return gained;
  }

  account(key: AccountKey): DraftAccount | undefined {
    const name = accountName(key);
    const drafted = this.accounts.get(name);
    if (drafted) return drafted;
    const loaded = this.state.accounts.get(name);
    if (!loaded) return undefined;
    const { ref, balance, held, sequence, allowNegative, frozen, isDebtor } = loaded;
    // Spelt out: a copy by spread takes five times as long, and there are two for each transfer.
    const account = { ref, balance, held, sequence, allowNegative, frozen, isDebtor };
    this.accounts.set(name, account);
    return account;
  }

  /** @param id in any case */
  holdOf(id: HoldId): BookedHold | undefined {
    const canonical = id.toLowerCase();
    return this.holds.get(canonical) ?? this.state.holds.get(canonical);
  }

  /** @param id in any case */
  transferOf(id: TransferId): BookedTransfer | undefined {
    return this.state.transfers.get(id.toLowerCase());
  }

  isReversed(transferId: TransferId): boolean {
    return this.reversed.has(transferId) || this.state.reversed.has(transferId);
  }

  isUsed(category: string | null, reference: string): boolean {
    const name = referenceName(category, reference);
    return this.references.has(name) || this.state.references.has(name);
  }

  /** Runs `work`; when it says false, all it did is undone. */
  together(work: () => boolean): void {
    const undo: (() => void)[] = [];
    this.undo = undo;
    const kept = work();
    this.undo = undefined;
    if (!kept) undo.toReversed().forEach((step) => step());
  }

  move({ kind, debit, credit, amount, note, reverses, holdId }: Movement, by: RequestContext): BookedTransfer {
    this.remember(debit);
    this.remember(credit);
    debit.balance -= amount.minor;
    debit.sequence += 1;
    credit.balance += amount.minor;
    credit.sequence += 1;
    if (credit.isDebtor) this.gained.add(credit);
    const transfer: BookedTransfer = {
      id: this.newId(),
      kind,
      debit: debit.ref,
      credit: credit.ref,
      amount,
      category: note?.category ?? null,
      reference: note?.reference ?? null,
      description: note?.description ?? null,
      metadata: note?.metadata ?? null,
      reverses: reverses ?? null,
      holdId: holdId ?? null,
      createdAt: this.state.now,
      debitBalanceAfter: debit.balance,
      debitSequence: debit.sequence,
      creditBalanceAfter: credit.balance,
      creditSequence: credit.sequence,
      actor: by.actor,
      requestId: by.requestId ?? null,
    };
    this.add(this.transfers, transfer);
    if (reverses !== undefined) this.include(this.reversed, reverses);
    if (note?.reference !== undefined) {
      this.include(this.references, referenceName(transfer.category, note.reference));
    }
    return transfer;
  }

  /** Like `move`, and kept as one that no posting asked for. */
  moveUnasked(movement: Movement, by: RequestContext): void {
    this.add(this.unasked, this.move(movement, by));
  }

  place(account: DraftAccount, hold: Omit<BookedHold, 'id' | 'account' | 'createdAt'>): BookedHold {
    this.remember(account);
    account.held += hold.amount.minor;
    const placed: BookedHold = { ...hold, id: this.newId(), account: account.ref, createdAt: this.state.now };
    this.add(this.placed, placed);
    return placed;
  }

  /** @param end what it has become, and when */
  resolve(
    hold: BookedHold,
    account: DraftAccount,
    end: Pick<Hold, 'status' | 'captured' | 'transferId' | 'resolvedAt'>,
  ): BookedHold {
    this.remember(account);
    account.held -= hold.amount.minor;
    if (account.isDebtor) this.gained.add(account);
    const resolved: BookedHold = { ...hold, ...end };
    this.holds.set(hold.id, resolved);
    this.undo?.push(() => this.holds.delete(hold.id));
    this.add(this.resolved, resolved);
    return resolved;
  }

  private remember(account: DraftAccount): void {
    const { balance, held, sequence } = account;
    this.undo?.push(() => Object.assign(account, { balance, held, sequence }));
  }

  private add<Row>(rows: Row[], row: Row): void {
    rows.push(row);
    this.undo?.push(() => rows.pop());
  }

  private include(names: Set<string>, name: string): void {
    names.add(name);
    this.undo?.push(() => names.delete(name));
  }
}
