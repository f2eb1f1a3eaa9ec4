import { randomBytes } from 'node:crypto';
import { DataSource, type EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '../../src/platform/database/index.js';
import { ExpiredRecords } from '../../src/platform/idempotency/expired-records.js';
import {
  type AnswerContent,
  ClaimTakenMeanwhileError,
  type IdempotencyClaim,
  IdempotencyRecords,
} from '../../src/platform/idempotency/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const TTL_HOURS = 2;

let database: TestDatabase;
let dataSource: DataSource;
let transactor: Transactor;
let records: IdempotencyRecords;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = createDataSource(
    database.url,
    { entities: [], migrations: [] },
    { poolSize: 8, poolTimeoutMs: 5000, statementTimeoutMs: 10_000 },
  );
  await dataSource.initialize();
  transactor = new Transactor(dataSource, new Metrics());
  records = new IdempotencyRecords({ IDEMPOTENCY_TTL_HOURS: TTL_HOURS });
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

function newClaim(more: Partial<IdempotencyClaim> = {}): IdempotencyClaim {
  const random = randomBytes(32).toString('hex');
  return { scope: 'user:1:POST:/api/things', key: random.slice(0, 32), fingerprint: random, ...more };
}

function answer(body: string, status = 201): AnswerContent {
  return { status, contentType: 'application/json; charset=utf-8', body };
}

const find = (...claims: IdempotencyClaim[]) => transactor.run((tx) => records.find(tx, claims));
const complete = (claim: IdempotencyClaim, content = answer('{}')) =>
  transactor.run((tx) => records.complete(tx, [{ claim, answer: content }]));

async function expire({ scope, key }: IdempotencyClaim): Promise<void> {
  await dataSource.query(`UPDATE idempotency_records SET expires_at = now() WHERE scope = $1 AND key = $2`, [
    scope,
    key,
  ]);
}

async function begin(): Promise<EntityManager> {
  const runner = dataSource.createQueryRunner();
  await runner.startTransaction('READ COMMITTED');
  return runner.manager;
}

describe('IdempotencyRecords', () => {
  it('finds nothing of a free key', async () => {
    expect(await find(newClaim())).toEqual([undefined]);
    expect(await find()).toEqual([]);
  });

  it('finds the exact answer under scope and key, with the times of the transaction that stored it', async () => {
    const claim = newClaim();
    const body = '{"note":"naïve – 日本語 🙂 \\u0000 \\"quoted\\" {1,2}\\n","amount":12345678901234567890}';
    const createdAt = await complete(claim, answer(body, 402));
    const expiresAt = new Date(createdAt.getTime() + TTL_HOURS * 3_600_000);
    expect(await find(claim)).toEqual([
      {
        state: 'completed',
        fingerprint: claim.fingerprint,
        answer: { ...answer(body, 402), createdAt, expiresAt },
      },
    ]);
    expect(await find({ ...claim, scope: 'user:2:POST:/api/things' })).toEqual([undefined]);
    expect(await find({ ...claim, key: newClaim().key })).toEqual([undefined]);
  });

  it('stores many answers in one statement, of every length, and finds each in its place', async () => {
    const many = Array.from({ length: 300 }, (_, index) => ({
      claim: newClaim({ scope: `user:${index % 7}:POST:/api/things` }),
      answer: answer(index % 5 === 0 ? '' : 'é🙂x'.repeat(index), 200 + (index % 100)),
    }));
    await transactor.run((tx) => records.complete(tx, many));
    const asked = [...many.map(({ claim }) => claim), newClaim()].toReversed();
    const found = (await find(...asked)).toReversed();
    expect(found.pop()).toBeUndefined();
    expect(
      found.map((each) => each?.state === 'completed' && { ...each.answer, fingerprint: each.fingerprint }),
    ).toEqual(many.map((each) => expect.objectContaining({ ...each.answer, fingerprint: each.claim.fingerprint })));
  });

  it('tells of a key that another request used: the fingerprint is that of the first', async () => {
    const claim = newClaim();
    await complete(claim);
    const other = { ...claim, fingerprint: newClaim().fingerprint };
    expect(await find(other)).toMatchObject([{ state: 'completed', fingerprint: claim.fingerprint }]);
  });

  it('leaves nothing behind of a transaction that was rolled back', async () => {
    const claim = newClaim();
    const failing = transactor.run(async (tx) => {
      await records.complete(tx, [{ claim, answer: answer('{}') }]);
      throw new Error('the effect failed');
    });
    await expect(failing).rejects.toThrow('the effect failed');
    expect(await find(claim)).toEqual([undefined]);
  });

  it('finds nothing of an expired record, and replaces it', async () => {
    const claim = newClaim();
    await complete(claim, answer('old'));
    await expire(claim);
    expect(await find(claim)).toEqual([undefined]);
    const again = { ...claim, fingerprint: newClaim().fingerprint };
    await complete(again, answer('new'));
    expect(await find(again)).toMatchObject([{ fingerprint: again.fingerprint, answer: { body: 'new' } }]);
  });

  it('never replaces a live record: the transaction is to be run again', async () => {
    const claim = newClaim();
    await complete(claim, answer('first'));
    const blind = transactor.run((tx) => records.complete(tx, [{ claim, answer: answer('second') }]), { attempts: 1 });
    await expect(blind).rejects.toThrow(ClaimTakenMeanwhileError);
    expect(await find(claim)).toMatchObject([{ answer: { body: 'first' } }]);
  });

  it.each(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const)(
    'lets one of twenty transactions at once store its effect and answer, under %s',
    async (isolation) => {
      const claim = newClaim();
      const bodies = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          transactor.run(
            async (tx) => {
              const [known] = await records.find(tx, [claim]);
              if (known?.state === 'completed') return known.answer.body;
              const body = `answer of ${index}`;
              await records.complete(tx, [{ claim, answer: answer(body) }]);
              return body;
            },
            { isolation, attempts: 50 },
          ),
        ),
      );
      expect(new Set(bodies).size).toBe(1);
      expect(await find(claim)).toMatchObject([{ answer: { body: bodies[0] } }]);
    },
  );

  it('waits for a rival that is about to store the same key, and then gives way', async () => {
    const claim = newClaim();
    const first = await begin();
    await records.complete(first, [{ claim, answer: answer('first') }]);
    const second = expect(
      transactor.run((tx) => records.complete(tx, [{ claim, answer: answer('second') }]), {
        isolation: 'READ COMMITTED',
        attempts: 1,
      }),
    ).rejects.toThrow(ClaimTakenMeanwhileError);
    await first.queryRunner?.commitTransaction();
    await first.queryRunner?.release();
    await second;
    expect(await find(claim)).toMatchObject([{ answer: { body: 'first' } }]);
  });

  it('refuses to store outside a transaction', async () => {
    const outside = records.complete(dataSource.manager, [{ claim: newClaim(), answer: answer('{}') }]);
    await expect(outside).rejects.toThrow('inside a transaction only');
  });

  it('is read by its primary key, also while the table is small and was never analysed', async () => {
    await dataSource.query('CREATE TABLE small (LIKE idempotency_records INCLUDING ALL)');
    const { FIND } = await import('../../src/platform/idempotency/find-claims.js');
    const statement = FIND.replace('FROM idempotency_records', 'FROM small');
    const keys = Array.from({ length: 500 }, () => newClaim().key);
    const plan = await dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${statement}`, [
      keys.map(() => 's'),
      keys,
      24,
    ]);
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toMatch(/Index Scan using small_pkey/);
  });
});

describe('ExpiredRecords', () => {
  const expired = () => new ExpiredRecords(transactor);
  const count = async () => {
    const [row] = await dataSource.query<{ count: number }[]>('SELECT count(*)::integer FROM idempotency_records');
    return row?.count ?? 0;
  };

  it('removes what has expired, a batch at a time, the oldest first, and nothing else', async () => {
    await dataSource.query('TRUNCATE idempotency_records');
    const claims = Array.from({ length: 25 }, () => newClaim());
    await transactor.run((tx) =>
      records.complete(
        tx,
        claims.map((claim) => ({ claim, answer: answer('{}') })),
      ),
    );
    for (const claim of claims.slice(0, 20)) await expire(claim);
    expect(await expired().remove(15)).toBe(15);
    expect(await count()).toBe(10);
    expect(await expired().remove(15)).toBe(5);
    expect(await expired().remove(15)).toBe(0);
    const left = await find(...claims.slice(20));
    expect(left.every((known) => known?.state === 'completed')).toBe(true);
  });

  it('leaves a record alone that is being replaced or worked on at this moment', async () => {
    await dataSource.query('TRUNCATE idempotency_records');
    const [replaced, workedOn] = [newClaim(), newClaim()];
    await complete(replaced);
    await expire(replaced);
    await dataSource.query(
      `INSERT INTO idempotency_records (scope, key, fingerprint, state, owner, locked_until, expires_at)
       VALUES ($1, $2, decode($3, 'hex'), 'in_flight', gen_random_uuid(), now() + interval '1 minute', now())`,
      [workedOn.scope, workedOn.key, workedOn.fingerprint],
    );
    const rival = await begin();
    await records.complete(rival, [{ claim: replaced, answer: answer('new') }]);
    expect(await expired().remove(10)).toBe(0);
    await rival.queryRunner?.commitTransaction();
    await rival.queryRunner?.release();
    expect(await find(replaced, workedOn)).toMatchObject([{ answer: { body: 'new' } }, { state: 'in_flight' }]);
  });
});
