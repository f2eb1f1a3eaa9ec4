import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../../src/kernel/ids.js';
import { type Bench, type BenchOptions, type BenchOutcome, VoidRun } from '../bench.js';
import type { BenchDatabase } from '../stage/bench-database.js';
import { BenchRedis } from '../stage/bench-redis.js';
import { machineCpuSeconds } from '../stage/cpu-seconds.js';
import { onStage, type Stage } from '../stage/stage.js';
import { median, typical } from '../statistics.js';
import { BullMq } from './bullmq.js';

/** The first stretch is not counted: V8 compiles meanwhile, and its rate says how many events the measured ones need. */
const WARM_UP_EVENTS = 20_000;
const PATIENCE_MS = 120_000;

const EFFECTS = `
  CREATE TABLE bench_effects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
  )`;

const STORE = `
  INSERT INTO webhook_events (
    id, source, provider, idempotency_key, event_id, event_type, status, raw_body, payload_computed, metadata, payload_hash,
    next_attempt_at
  )
  SELECT
    id, 'stripe', 'stripe', id || '_' || $2, id, $2, 'PENDING',
    convert_to(format('{"id":"%s","type":"%s","data":{"object":{"amount":1010}}}', id, $2), 'UTF8'), true,
    '{"headers":{"content-type":"application/json"}}', md5(id::text), clock_timestamp()
  FROM unnest($1::uuid[]) AS id`;

/** P5: events from claim to done, with a handler that writes one row. */
export const eventProcessing = processingBench('P5', 'bench.one', 'events processed, one row each', 2);
/** P5b: the same with a handler that takes a batch. */
export const batchProcessing = processingBench('P5b', 'bench.batch', 'events processed by a batch handler', 4);

function processingBench(id: string, type: string, title: string, target: number): Bench {
  return {
    id,
    title,
    reference: 'BullMQ on Redis (appendfsync always), the same row each, row and completion apart',
    beat: `≥ ${target}×`,
    connections: 0,
    processes: 1,
    run: (options) =>
      onStage({ ...options, entry: 'bench/webhooks/handling-server.ts' }, async (stage) => {
        const redis = await BenchRedis.start(stage.folder, { durable: true });
        stage.leave.push(() => redis.stop());
        await stage.database.query(EFFECTS);
        const bullmq = await BullMq.start(stage.database, redis);
        stage.leave.push(() => bullmq.stop());
        return measure(stage, bullmq, { type, target }, options);
      }),
  };
}

/** One stretch: so many events, all done. */
interface Stretch {
  rate: number;
  app: number;
  database: number;
  others: number;
}

async function measure(
  stage: Stage,
  bullmq: BullMq,
  { type, target }: { type: string; target: number },
  { seconds, runs, progress }: BenchOptions,
): Promise<BenchOutcome> {
  const { database, server } = stage;
  const ours = async (count: number): Promise<Stretch> => {
    const ids = Array.from({ length: count }, newId);
    const stretch = await timed(
      database,
      count,
      () => server.cpuSeconds(),
      async () => {
        await database.query(STORE, [ids, type]);
      },
    );
    await verify(database, count);
    return stretch;
  };
  const theirs = async (count: number): Promise<Stretch> => {
    await bullmq.fill(Array.from({ length: count }, newId));
    return timed(
      database,
      count,
      () => bullmq.cpuSeconds(),
      () => bullmq.begin(),
    );
  };
  let best = { ours: (await ours(WARM_UP_EVENTS)).rate, theirs: (await theirs(WARM_UP_EVENTS)).rate };
  const measured = [];
  for (let run = 1; run <= runs; run++) {
    const reference = await theirs(Math.ceil(best.theirs * seconds));
    const stretch = await ours(Math.ceil(best.ours * seconds));
    best = { ours: Math.max(best.ours, stretch.rate), theirs: Math.max(best.theirs, reference.rate) };
    measured.push({ stretch, reference, ratio: stretch.rate / reference.rate });
    progress(`run ${run} of ${runs}: ours ${stretch.rate.toFixed(0)}/s, BullMQ ${reference.rate.toFixed(0)}/s`);
  }
  const rate = median(measured.map(({ stretch }) => stretch.rate));
  const reference = median(measured.map((each) => each.reference.rate));
  const { stretch, reference: bull } = typical(measured, (each) => each.stretch.rate);
  return {
    ours: { value: rate, unit: '/s' },
    reference: { value: reference, unit: '/s' },
    ratio: rate / reference,
    met: rate / reference >= target,
    ratios: measured.map(({ ratio }) => ratio),
    cpu: { generator: 0, app: stretch.app, database: stretch.database, others: stretch.others },
    latency: null,
    remarks: [
      `${runs} runs of about ${seconds} s each, in turn; each event found processed once, with one attempt and one row`,
      `BullMQ's worker took ${bull.app.toFixed(1)} s of processor time meanwhile, PostgreSQL ${bull.database.toFixed(1)} s`,
    ],
  };
}

/** From the first row to the last, by the database's clock. */
async function timed(
  database: BenchDatabase,
  count: number,
  appCpuSeconds: () => number,
  begin: () => Promise<void>,
): Promise<Stretch> {
  await database.query('TRUNCATE bench_effects');
  await database.settle();
  const before = { all: machineCpuSeconds(), app: appCpuSeconds(), database: database.cpuSeconds() };
  await begin();
  await untilDone(database, count);
  const app = appCpuSeconds() - before.app;
  const ofDatabase = database.cpuSeconds() - before.database;
  const others = Math.max(0, machineCpuSeconds() - before.all - app - ofDatabase);
  const [row] = await database.query<{ rows: number; events: number; seconds: number }>(
    `SELECT
       count(*)::integer AS rows, count(DISTINCT event_id)::integer AS events,
       extract(epoch FROM max(at) - min(at))::float8 AS seconds
     FROM bench_effects`,
  );
  if (row?.rows !== count || row.events !== count) throw new VoidRun(`${count} events left ${JSON.stringify(row)}`);
  return { rate: count / row.seconds, app, database: ofDatabase, others };
}

async function untilDone(database: BenchDatabase, count: number): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await delay(100)) {
    const [row] = await database.query<{ rows: number }>('SELECT count(*)::integer AS rows FROM bench_effects');
    if ((row?.rows ?? 0) >= count) return;
  }
  throw new VoidRun(`${count} events were not done within ${PATIENCE_MS / 1000} s`);
}

/** Nothing is left, and each event has one attempt; then they go, so that each stretch begins alike. */
async function verify(database: BenchDatabase, count: number): Promise<void> {
  let found: unknown;
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await delay(50)) {
    const [row] = await database.query<{ processed: number; attempts: number }>(
      `SELECT
         (SELECT count(*)::integer FROM webhook_events WHERE status = 'PROCESSED' AND attempts = 1) AS processed,
         (SELECT count(*)::integer FROM webhook_attempts) AS attempts`,
    );
    found = row;
    if (row?.processed === count && row.attempts === count) {
      await database.query('TRUNCATE webhook_events, webhook_attempts CASCADE');
      return;
    }
  }
  throw new VoidRun(`${count} events are ${JSON.stringify(found)}`);
}
