import { Worker } from 'bullmq';
import pg from 'pg';
import { CONCURRENCY, QUEUE, type WorkerOptions } from './bullmq.js';

/** A process of BullMQ's own: takes jobs from Redis and writes one row for each of them, as our handler does. */
const { databaseUrl, redisPort } = JSON.parse(process.argv[2] ?? '') as WorkerOptions;
const pool = new pg.Pool({ connectionString: databaseUrl, max: CONCURRENCY });

const worker = new Worker<{ eventId: string }>(
  QUEUE,
  async ({ data }) => {
    await pool.query('INSERT INTO bench_effects (event_id) VALUES ($1)', [data.eventId]);
  },
  { connection: { host: '127.0.0.1', port: redisPort }, concurrency: CONCURRENCY, removeOnComplete: { count: 0 } },
);
worker.on('failed', (_, error) => console.error(error));
await worker.waitUntilReady();
process.send?.('ready');
