import { Client } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Bucket,
  type FiguresRow,
  PaymentFiguresRepository,
} from '../../src/modules/payments/analytics/payment-figures.repository.js';
import { PaymentHoursSweep } from '../../src/modules/payments/analytics/payment-hours-sweep.js';
import type { PaymentMode } from '../../src/modules/payments/payment.js';
import { createDataSource } from '../../src/platform/database/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { READ_COMMITTED, Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type HistoryEvent, PaymentHistory } from '../support/payment-history.js';

const HOUR = 3_600_000;
const KINDS: readonly HistoryEvent['kind'][] = [
  'created',
  'settled',
  'failed',
  'canceled',
  'declined',
  'refunded',
  'returned',
  'disputed',
  'withdrawn',
  'reinstated',
];

/** One process: connections of its own. */
class Replica {
  readonly transactor: Transactor;
  readonly figures: PaymentFiguresRepository;
  readonly sweep: PaymentHoursSweep;

  private constructor(readonly dataSource: DataSource) {
    this.transactor = new Transactor(dataSource, new Metrics());
    this.figures = new PaymentFiguresRepository(dataSource, this.transactor);
    this.sweep = new PaymentHoursSweep(this.transactor, this.figures);
  }

  static async connect(url: string): Promise<Replica> {
    const options = { poolSize: 3, poolTimeoutMs: 5000, statementTimeoutMs: 30_000 };
    return new Replica(await createDataSource(url, { entities: [], migrations: [] }, options).initialize());
  }

  /** Until a batch is not full, as the timer does. @returns the hours kept */
  async sweepAll(batch: number): Promise<number> {
    let all = 0;
    for (;;) {
      const kept = await this.sweep.keep(batch);
      all += kept;
      if (kept < batch) return all;
    }
  }
}

let database: TestDatabase;
let history: PaymentHistory;
let one: Replica;
let two: Replica;
/** The beginning of the hour that it is. */
let thisHour: number;

beforeEach(async () => {
  database = await createTestDatabase();
  history = await PaymentHistory.open(database.url);
  [one, two] = await Promise.all([Replica.connect(database.url), Replica.connect(database.url)]);
  thisHour = Math.floor(Date.now() / HOUR) * HOUR;
});

afterEach(async () => {
  await history?.close();
  await Promise.all([one?.dataSource.destroy(), two?.dataSource.destroy()]);
  await database?.drop();
});

/** The same numbers for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** Oldest first, many of them at the very edge of an hour. */
function randomEvents(count: number, hours: number, seed: number): HistoryEvent[] {
  const roll = dice(seed);
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)] as T;
  return Array.from({ length: count }, () => {
    const within = pick([0, 1, HOUR - 1, roll(HOUR)]);
    return {
      kind: pick(KINDS),
      at: new Date(thisHour - (1 + roll(hours)) * HOUR + within),
      provider: pick(['stripe', 'paystack', 'sandbox']),
      mode: pick(['test', 'test', 'live']),
      currency: pick(['USD', 'JPY']),
      amount: pick([1, 999, Number.MAX_SAFE_INTEGER]),
    };
  }).toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

interface Question {
  readonly from: number;
  readonly to: number;
  readonly bucket: Bucket;
  readonly mode: PaymentMode;
  readonly byProvider: boolean;
}

function read({ figures }: Replica, { from, to, ...rest }: Question): Promise<FiguresRow[]> {
  return figures.read({ from: new Date(from), to: new Date(to), ...rest });
}

/** The figures, one event after the other. */
function counted(events: readonly HistoryEvent[], { from, to, bucket, mode, byProvider }: Question): object[] {
  const length = bucket === 'hour' ? HOUR : 24 * HOUR;
  const groups = new Map<string, HistoryEvent[]>();
  for (const event of events) {
    const time = event.at.getTime();
    if (event.mode !== mode || time < from || time >= to) continue;
    const at = new Date(Math.floor(time / length) * length).toISOString();
    const key = [at, byProvider ? event.provider : '', event.currency].join(' ');
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, group]) => rowOf(key, group));
}

function rowOf(key: string, group: readonly HistoryEvent[]): object {
  const [at = '', provider, currency] = key.split(' ');
  const of = (kind: string) => group.filter((event) => event.kind === kind);
  const count = (kind: string) => String(of(kind).length);
  const sum = (kind: string) => String(of(kind).reduce((total, { amount }) => total + BigInt(amount), 0n));
  return {
    at: new Date(at),
    provider: provider === '' ? null : provider,
    currency,
    created: count('created'),
    succeeded: count('settled'),
    failed: count('failed'),
    canceled: count('canceled'),
    declined: count('declined'),
    refunds: count('refunded'),
    returned_refunds: count('returned'),
    disputes: count('disputed'),
    volume: sum('settled'),
    refunded_volume: sum('refunded'),
    returned_volume: sum('returned'),
    withdrawn_volume: sum('withdrawn'),
    reinstated_volume: sum('reinstated'),
  };
}

function questions(hours: number): Question[] {
  const all = { from: thisHour - hours * HOUR, to: thisHour + HOUR, mode: 'test', byProvider: true } as const;
  return [
    { ...all, bucket: 'hour' },
    { ...all, bucket: 'hour', byProvider: false, mode: 'live' },
    { ...all, bucket: 'day', from: Math.floor(all.from / (24 * HOUR)) * 24 * HOUR },
    { ...all, bucket: 'hour', from: thisHour - 20 * HOUR, to: thisHour - 3 * HOUR },
  ];
}

async function expectCounted(replica: Replica, events: readonly HistoryEvent[], hours: number): Promise<void> {
  for (const question of questions(hours)) {
    const wanted = counted(events, question);
    expect(wanted.length).toBeGreaterThan(5);
    expect(await read(replica, question)).toEqual(wanted);
  }
}

const kept = () => history.client.query(`SELECT * FROM payment_hours ORDER BY hour, mode, provider, currency`);

describe('the figures of payments', () => {
  it('are those of every event, before a sweep, half-way through and after it, and of the hour that it is', async () => {
    const past = randomEvents(1200, 40, 7);
    const latest = new Date(Date.now() - 1000);
    const now: HistoryEvent = { ...past[0]!, kind: 'settled', at: latest, mode: 'test' };
    const events = [...past, now];
    await history.add(events);
    await expectCounted(one, events, 40);
    expect(await one.sweep.keep(11)).toBe(11);
    await expectCounted(one, events, 40);
    await one.sweepAll(11);
    await expectCounted(two, events, 40);
    const { finalTo } = await one.figures.progress();
    expect([thisHour - HOUR, thisHour]).toContain(finalTo?.getTime());
    const { rows } = await kept();
    expect(rows.length).toBeGreaterThan(100);
    expect(await one.sweepAll(11)).toBe(0);
  });

  it('are kept once, by many sweeps at once on two processes', async () => {
    const events = randomEvents(600, 30, 11);
    await history.add(events);
    for (let round = 0; round < 40; round += 1) {
      await Promise.all([one, two, one, two].map((replica) => replica.sweep.keep(2)));
    }
    await one.sweepAll(2);
    await expectCounted(two, events, 30);
    const { finalTo } = await two.figures.progress();
    expect([thisHour - HOUR, thisHour]).toContain(finalTo?.getTime());
  });

  it('go on where the last whole batch ended when a sweep dies', async () => {
    const events = randomEvents(600, 30, 13);
    await history.add(events);
    await one.sweep.keep(5);
    const before = await one.figures.progress();
    const { rows } = await kept();
    const death = new Error('The process died');
    const dying = one.transactor.run(async (tx) => {
      expect(await one.figures.keep(tx, 5)).toBe(5);
      throw death;
    }, READ_COMMITTED);
    await expect(dying).rejects.toBe(death);
    expect((await two.figures.progress()).finalTo).toEqual(before.finalTo);
    expect((await kept()).rows).toEqual(rows);
    await two.sweepAll(5);
    await expectCounted(one, events, 30);
  });

  it('do not count twice what ends again in the way it has ended', async () => {
    const event = { at: new Date(thisHour - 5 * HOUR), provider: 'stripe', mode: 'test', currency: 'USD', amount: 5 };
    const events: HistoryEvent[] = [{ ...event, kind: 'canceled' }];
    await history.add(events);
    await history.repeatLastStep(new Date(thisHour - 3 * HOUR));
    const question = {
      from: thisHour - 9 * HOUR,
      to: thisHour,
      bucket: 'hour',
      mode: 'test',
      byProvider: true,
    } as const;
    expect(await read(one, question)).toEqual(counted(events, question));
  });
});

describe('an hour', () => {
  it('is not final before every transaction has ended that began in it or earlier', async () => {
    const events = randomEvents(300, 30, 17);
    await history.add(events);
    const writer = new Client({ connectionString: database.url });
    await writer.connect();
    try {
      await writer.query('BEGIN');
      await writer.query('SELECT 1');
      // As if it had begun three hours ago: nobody can set the clock by which PostgreSQL says so.
      await one.dataSource.query(`CREATE SCHEMA early`);
      await one.dataSource.query(`
        CREATE VIEW early.pg_stat_activity AS
        SELECT pid, datname, usesysid, state,
          CASE WHEN pid = ${await pidOf(writer)} THEN xact_start - interval '3 hours' ELSE xact_start END AS xact_start
        FROM pg_catalog.pg_stat_activity`);
      const sweepSeeing = async () =>
        one.transactor.run(async (tx) => {
          await tx.query(`SET LOCAL search_path = early, pg_catalog, public`);
          return one.figures.keep(tx, 1000);
        }, READ_COMMITTED);
      await sweepSeeing();
      const { finalTo, now } = await one.figures.progress();
      const begun = Math.floor((now.getTime() - 3 * HOUR) / HOUR) * HOUR;
      expect([begun - HOUR, begun]).toContain(finalTo?.getTime());
      expect(await sweepSeeing()).toBe(0);
      await writer.query('COMMIT');
      expect(await sweepSeeing()).toBeGreaterThanOrEqual(2);
      await expectCounted(two, events, 30);
    } finally {
      await writer.end();
    }
  });

  it('is read without a look at the payments of other hours', async () => {
    await history.addPast(50_000, new Date(thisHour - 1));
    await history.client.query(`UPDATE payment_hours_progress SET final_to = $1`, [new Date(thisHour - HOUR)]);
    const question = { to: thisHour + HOUR, bucket: 'hour', mode: 'test', byProvider: true } as const;
    const plans = await planned(() => read(one, { from: thisHour - 3 * HOUR, ...question }));
    // The last hour is not kept yet.
    expect(await read(one, { from: thisHour - HOUR, ...question })).toMatchObject([
      { created: '60', succeeded: '60', failed: '60', disputes: '60', volume: '300' },
    ]);
    for (const table of ['payments', 'payment_transitions', 'disputes', 'ledger_entries', 'ledger_transfers']) {
      expect(plans).not.toMatch(new RegExp(`Seq Scan on ${table}\\b`));
    }
    expect(plans).toMatch(/Index (Only )?Scan using payments_created_at_idx/);
    expect(plans).toMatch(/payment_transitions_over_idx/);
    expect(plans).toMatch(/disputes_created_at_idx/);
    expect(plans).toMatch(/Index Scan using ledger_entries_pkey/);
  });
});

async function pidOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}

/** The plan of what `work` asks. */
async function planned(work: () => Promise<unknown>): Promise<string> {
  const query = one.dataSource.query.bind(one.dataSource);
  let plan = '';
  one.dataSource.query = async <T>(sql: string, parameters?: unknown[], runner?: QueryRunner): Promise<T> => {
    if (sql.trimStart().startsWith('WITH')) {
      const lines = await query<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${sql}`, parameters, runner);
      plan += lines.map((line) => line['QUERY PLAN']).join('\n');
    }
    return query<T>(sql, parameters, runner);
  };
  try {
    await work();
  } finally {
    one.dataSource.query = query;
  }
  return plan;
}
