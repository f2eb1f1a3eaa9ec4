import { type AccountKey, accountName } from './account.js';
import { checkPosting } from './check-posting.js';
import type { HoldId } from './ids.js';
import { referenceName } from './ledger-state.js';
import type { Posting } from './posting.js';

/** What must be loaded before postings can be decided. */
export interface Wanted {
  /** By `accountName`. */
  readonly accounts: ReadonlyMap<string, AccountKey>;
  /** Of these, the names of those that may have to owe. */
  readonly debtors: ReadonlySet<string>;
  /** Ids. */
  readonly holds: ReadonlySet<string>;
  /** Ids of those to be reversed. */
  readonly transfers: ReadonlySet<string>;
  /** By `referenceName`. */
  readonly references: ReadonlyMap<string, { readonly category: string | null; readonly reference: string }>;
}

/** What must be loaded to end these holds, and whatever else is due on their accounts. */
export function wantedHolds(holds: ReadonlySet<HoldId>): Wanted {
  return { accounts: new Map(), debtors: new Set(), holds, transfers: new Set(), references: new Map() };
}

/** Of postings that are refused whatever the state, nothing: their texts may be such that PostgreSQL refuses them. */
export function wantedBy(
  requests: readonly { readonly postings: readonly Posting[]; readonly onlyOwner?: string | undefined }[],
): Wanted {
  const accounts = new Map<string, AccountKey>();
  const debtors = new Set<string>();
  const holds = new Set<string>();
  const transfers = new Set<string>();
  const references = new Map<string, { category: string | null; reference: string }>();
  for (const { postings, onlyOwner } of requests) {
    for (const posting of postings) {
      if (checkPosting(posting, onlyOwner)) continue;
      switch (posting.type) {
        case 'transfer':
          accounts.set(accountName(posting.debit), posting.debit).set(accountName(posting.credit), posting.credit);
          if (posting.shortfall === 'debt') debtors.add(accountName(posting.debit));
          if (posting.reference !== undefined) {
            const { category = null, reference } = posting;
            references.set(referenceName(category, reference), { category, reference });
          }
          break;
        case 'hold':
          accounts.set(accountName(posting.account), posting.account).set(accountName(posting.credit), posting.credit);
          break;
        case 'reverse':
          transfers.add(posting.transferId.toLowerCase());
          break;
        case 'capture':
        case 'void':
          holds.add(posting.holdId.toLowerCase());
      }
    }
  }
  return { accounts, debtors, holds, transfers, references };
}
