import type { RequestContext } from '../../platform/auth/index.js';
import type { NewAuditLine } from '../audit/index.js';
import type { AccountKey, AccountRef } from './account.js';
import type { BookedTransfer } from './ledger-state.js';
import type { Posting, PostingOutcome } from './posting.js';

/** A line of this many has about 30 KB. */
const MAX_POSTINGS = 200;

/** What nobody asks for: it happens by the clock. */
export const EXPIRY = { type: 'expire' } as const;

/** What nobody asks for either: it follows from what others ask for. */
const UNASKED = { type: 'debt' } as const;

type Named = Pick<Posting, 'type'> | typeof EXPIRY | typeof UNASKED;

/** A request and what became of it. */
export interface Carried {
  readonly request: { readonly postings: readonly Named[]; readonly by: RequestContext };
  readonly outcomes: readonly PostingOutcome[];
}

interface Gathered {
  by: RequestContext;
  postings: string[];
  /** Of each posting. */
  requestIds: (string | undefined)[];
  subject: string;
}

/**
 * The audit lines of a batch: one for each actor and address, not one for each transfer, because a line costs 45 µs with
 * its seal and a transfer 40. It names each transfer and hold with kind, amount, currency, accounts and request, as one
 * text: an object of seven members costs PostgreSQL 3 µs more.
 */
export function auditLines(carried: readonly Carried[]): NewAuditLine[] {
  const open = new Map<string, Gathered>();
  const done: Gathered[] = [];
  for (const { request, outcomes } of carried) {
    const { by } = request;
    const name = `${by.actor}\0${by.ip ?? ''}`;
    outcomes.forEach((outcome, index) => {
      const posting = request.postings[index];
      if ('refused' in outcome || posting === undefined) return;
      let line = open.get(name);
      if (!line || line.postings.length === MAX_POSTINGS) {
        line = { by, postings: [], requestIds: [], subject: subjectOf(outcome) };
        open.set(name, line);
        done.push(line);
      }
      line.postings.push(describe(posting.type, outcome));
      line.requestIds.push(by.requestId);
    });
  }
  return done.map(lineOf);
}

/** A transfer that no posting asked for, for the audit lines. */
export function carriedUnasked(transfer: BookedTransfer): Carried {
  const by = { actor: transfer.actor, requestId: transfer.requestId ?? undefined };
  return { request: { postings: [UNASKED], by }, outcomes: [{ posted: transfer }] };
}

function lineOf({ by, postings, requestIds, subject }: Gathered): NewAuditLine {
  const [requestId] = requestIds;
  const isOneRequest = requestIds.every((each) => each === requestId);
  const named = isOneRequest
    ? postings
    : postings.map((posting, index) => `${posting}, request ${requestIds[index] ?? 'none'}`);
  return {
    actor: by.actor,
    action: 'ledger.posted',
    // A busy moment's line is about many; by its parts it is found in the transfers themselves.
    subject: postings.length === 1 ? subject : undefined,
    requestId: isOneRequest ? requestId : undefined,
    ip: by.ip,
    document: JSON.stringify({ postings: named }),
  };
}

/** The line of accounts that opened themselves. */
export function openedLine(account: AccountRef, by: RequestContext): NewAuditLine {
  const { kind, owner, currency } = account;
  return {
    actor: by.actor,
    action: 'ledger_account.opened',
    subject: `ledger-account:${account.id}`,
    requestId: by.requestId,
    ip: by.ip,
    details: { kind, owner, currency },
  };
}

type Done = Exclude<PostingOutcome, { refused: unknown }>;

function subjectOf(outcome: Done): string {
  return 'posted' in outcome ? `ledger-transfer:${outcome.posted.id}` : `ledger-hold:${outcome.held.id}`;
}

/** For example `TRANSFER 0190…: 700 USD, user:alice > user:bob`. */
function describe(type: Named['type'], outcome: Done): string {
  const transfer = 'posted' in outcome ? outcome.posted : outcome.transfer;
  if (transfer) {
    const { id, kind, amount, debit, credit, holdId } = transfer;
    const hold = holdId === null ? '' : `, hold ${holdId}`;
    return `${kind} ${id}: ${amount.minor} ${amount.currency}, ${nameOf(debit)} > ${nameOf(credit)}${hold}`;
  }
  if ('posted' in outcome) return type;
  const { id, amount, account, credit } = outcome.held;
  return `${type.toUpperCase()} ${id}: ${amount.minor} ${amount.currency}, ${nameOf(account)} > ${nameOf(credit)}`;
}

function nameOf({ kind, owner }: AccountKey): string {
  return `${kind}:${owner}`;
}
