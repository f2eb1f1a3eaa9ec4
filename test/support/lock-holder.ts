import 'reflect-metadata';
import { once } from 'node:events';
import { AppError } from '../../src/kernel/app-error.js';
import { LockFence, Locks } from '../../src/platform/locks/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { lockContext } from './lock-context.js';

/**
 * A process of its own that takes the lock and, as soon as it hears something on its standard input, writes to `guarded`
 * as if it held the lock still, without a look at the signal. Says on standard output what becomes of it, a line of JSON
 * each time.
 */
const [databaseUrl = '', redisUrl = '', key = '', ttl = ''] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const app = await lockContext(databaseUrl, redisUrl);
await app.get(Locks).withLock(key, { ttl: Number(ttl) }, async ({ signal, fencingToken }) => {
  say({ held: String(fencingToken) });
  await once(process.stdin, 'data');
  const fenced = await app.get(Transactor).run(async (tx) => {
    const [, rows] = await tx.query<[unknown[], number]>(
      'UPDATE guarded SET value = $1, fencing_token = $2 WHERE id = 1 AND fencing_token <= $2',
      ['by the first', fencingToken],
    );
    return rows;
  });
  const passed = await app
    .get(Transactor)
    .run(async (tx) => {
      await app.get(LockFence).pass(tx, key, fencingToken);
      await tx.query('UPDATE guarded SET value = $1 WHERE id = 2', ['by the first']);
      return 'passed';
    })
    .catch((error: unknown) => (error instanceof AppError ? error.code : String(error)));
  if (!signal.aborted) await once(signal, 'abort');
  say({ rows: fenced, fence: passed, aborted: signal.aborted });
});
process.exit(0);
