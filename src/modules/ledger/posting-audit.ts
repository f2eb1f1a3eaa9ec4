import type { RequestContext } from '../../platform/auth/index.js';
import type { NewAuditLine } from '../audit/index.js';
import type { AccountKey, AccountRef } from './account.js';
import type { Posting, PostingOutcome } from './posting.js';

/** A line of this many has about 30 KB. */
const MAX_POSTINGS = 200;

/** A request and what became of it. */
export interface Carried {
  readonly request: { readonly postings: readonly Posting[]; readonly by: RequestContext };
  readonly outcomes: readonly PostingOutcome[];
}

interface Gathered {
  by: RequestContext;
  /** JSON texts. */
  postings: string[];
  subject: string;
  /** Undefined once there are several. */
  requestId: string | undefined;
}

/**
 * The audit lines of a batch: one for each actor and address, not one for each transfer, because a line costs 45 µs with
 * its seal and a transfer 40. It names each transfer and hold with kind, amount, currency, accounts and request.
 */
export function auditLines(carried: readonly Carried[]): NewAuditLine[] {
  const open = new Map<string, Gathered>();
  const done: Gathered[] = [];
  for (const { request, outcomes } of carried) {
    const { by } = request;
    const name = `${by.actor}\0${by.ip ?? ''}`;
    const requestId = by.requestId === undefined ? undefined : JSON.stringify(by.requestId);
    outcomes.forEach((outcome, index) => {
      const posting = request.postings[index];
      if ('refused' in outcome || posting === undefined) return;
      let line = open.get(name);
      if (!line || line.postings.length === MAX_POSTINGS) {
        line = { by, postings: [], subject: subjectOf(outcome), requestId: by.requestId };
        open.set(name, line);
        done.push(line);
      }
      if (line.requestId !== by.requestId) line.requestId = undefined;
      line.postings.push(describe(posting.type, outcome, requestId));
    });
  }
  return done.map(({ by, postings, subject, requestId }) => ({
    actor: by.actor,
    action: 'ledger.posted',
    // A busy moment's line is about many; by its parts it is found in the transfers themselves.
    subject: postings.length === 1 ? subject : undefined,
    requestId,
    ip: by.ip,
    document: `{"postings":[${postings.join(',')}]}`,
  }));
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

/** By hand: JSON.stringify of an object takes three times as long, and all but names is known to need no escape. */
function describe(type: Posting['type'], outcome: Done, requestId: string | undefined): string {
  const request = requestId === undefined ? '' : `,"requestId":${requestId}`;
  const transfer = 'posted' in outcome ? outcome.posted : outcome.transfer;
  if (transfer) {
    const { id, kind, amount, currency, debit, credit, holdId } = transfer;
    const hold = holdId === null ? '' : `,"hold":"${holdId}"`;
    return `{"transfer":"${id}"${hold},"kind":"${kind}","amount":${amount},"currency":"${currency}","debit":${nameOf(debit)},"credit":${nameOf(credit)}${request}}`;
  }
  if ('posted' in outcome) return '{}';
  const { id, amount, account, credit } = outcome.held;
  return `{"hold":"${id}","kind":"${type.toUpperCase()}","amount":${amount},"currency":"${account.currency}","debit":${nameOf(account)},"credit":${nameOf(credit)}${request}}`;
}

function nameOf({ kind, owner }: AccountKey): string {
  return JSON.stringify(`${kind}:${owner}`);
}
