import { describe, expect, it } from '@jest/globals';
import { Money } from '../../kernel/money.js';
import { systemAccount, userAccount } from './account.js';
import type { HoldId, TransferId } from './ids.js';
import type { PostingOutcome, PostingRequest } from './posting.js';
import { auditLines } from './posting-audit.js';
import { accountNotFound } from './ledger.errors.js';

function posted(id: string, owner = 'alice'): PostingOutcome {
  return {
    posted: {
      id: id as TransferId,
      kind: 'CREDIT',
      debit: systemAccount('external', 'USD'),
      credit: userAccount(owner, 'USD'),
      amount: Money.of(9007199254740991n, 'USD'),
      category: null,
      reference: null,
      description: 'never in the line',
      metadata: null,
      reverses: null,
      holdId: null,
      createdAt: new Date(0),
      debitBalanceAfter: 0n,
      debitSequence: 1,
      creditBalanceAfter: 0n,
      creditSequence: 1,
    },
  };
}

function held(id: string): PostingOutcome {
  return {
    held: {
      id: id as HoldId,
      account: userAccount('alice', 'USD'),
      credit: userAccount('bob', 'USD'),
      amount: Money.of(5n, 'USD'),
      captured: null,
      status: 'VOIDED',
      description: null,
      placedBy: 'test',
      expiresAt: new Date(0),
      transferId: null,
      createdAt: new Date(0),
      resolvedAt: new Date(0),
    },
  };
}

function carried(by: PostingRequest['by'], outcomes: PostingOutcome[], type: 'transfer' | 'void' = 'transfer') {
  const posting =
    type === 'void'
      ? ({ type, holdId: 'h1' } as const)
      : ({
          type,
          kind: 'CREDIT',
          debit: systemAccount('external', 'USD'),
          credit: userAccount('alice', 'USD'),
          amount: Money.of(1n, 'USD'),
        } as const);
  return { request: { postings: outcomes.map(() => posting), by }, outcomes };
}

function documents(lines: ReturnType<typeof auditLines>): { postings: string[] }[] {
  return lines.map(({ document }) => JSON.parse(document ?? ''));
}

function transferOf(posting: string): string | undefined {
  return / (t\d+):/.exec(posting)?.[1];
}

describe('the audit lines of a batch', () => {
  it('name each transfer and hold with kind, amount, currency, accounts and request', () => {
    const lines = auditLines([
      carried({ actor: 'a', requestId: 'r1' }, [posted('t1')]),
      carried({ actor: 'a', requestId: 'r2' }, [held('h1')], 'void'),
      carried({ actor: 'a' }, [posted('t2')]),
    ]);
    expect(lines).toMatchObject([{ actor: 'a', action: 'ledger.posted', requestId: undefined, subject: undefined }]);
    expect(documents(lines)).toEqual([
      {
        postings: [
          'CREDIT t1: 9007199254740991 USD, system:external > user:alice, request r1',
          'VOID h1: 5 USD, user:alice > user:bob, request r2',
          'CREDIT t2: 9007199254740991 USD, system:external > user:alice, request none',
        ],
      },
    ]);
  });

  it('of one request carry its id themselves', () => {
    const lines = auditLines([carried({ actor: 'a', requestId: 'r1' }, [posted('t1'), posted('t2')])]);
    expect(lines).toMatchObject([{ requestId: 'r1', subject: undefined }]);
    expect(documents(lines)[0]?.postings[1]).toBe('CREDIT t2: 9007199254740991 USD, system:external > user:alice');
  });

  it('are one for each actor and address', () => {
    const lines = auditLines([
      carried({ actor: 'a', ip: '10.0.0.1' }, [posted('t1')]),
      carried({ actor: 'a', ip: '10.0.0.2' }, [posted('t2')]),
      carried({ actor: 'b', ip: '10.0.0.1' }, [posted('t3')]),
      carried({ actor: 'a', ip: '10.0.0.1' }, [posted('t4')]),
    ]);
    expect(lines.map(({ actor, ip }) => [actor, ip])).toEqual([
      ['a', '10.0.0.1'],
      ['a', '10.0.0.2'],
      ['b', '10.0.0.1'],
    ]);
    expect(documents(lines)[0]?.postings.map(transferOf)).toEqual(['t1', 't4']);
  });

  it('of a single posting carry its subject and its request', () => {
    expect(auditLines([carried({ actor: 'a', requestId: 'r1' }, [posted('t1')])])).toMatchObject([
      { subject: 'ledger-transfer:t1', requestId: 'r1' },
    ]);
  });

  it('go on in another line after 200 postings, and none is lost', () => {
    const outcomes = Array.from({ length: 450 }, (_, index) => posted(`t${index}`));
    const lines = documents(auditLines([carried({ actor: 'a' }, outcomes)]));
    expect(lines.map(({ postings }) => postings.length)).toEqual([200, 200, 50]);
    expect(lines.flatMap(({ postings }) => postings.map(transferOf))).toEqual(outcomes.map((_, index) => `t${index}`));
  });

  it('say nothing of what was refused', () => {
    const refused: PostingOutcome = { refused: accountNotFound() };
    expect(auditLines([carried({ actor: 'a' }, [refused])])).toEqual([]);
    expect(documents(auditLines([carried({ actor: 'a' }, [refused, posted('t1')])]))[0]?.postings).toHaveLength(1);
  });

  it('stay JSON whatever an owner is called', () => {
    const [line] = documents(auditLines([carried({ actor: 'a' }, [posted('t1', 'a"}\\\n')])]));
    expect(line?.postings[0]).toContain('> user:a"}\\\n');
  });
});
