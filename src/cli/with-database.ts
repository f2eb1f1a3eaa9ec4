import type { Config } from '../config/index.js';
import { openDatabase } from '../platform/database/index.js';
import { finishing } from './finishing.js';
import { remark } from './output.js';

/**
 * Hands the URL of the database to `work`. The embedded one runs for as long as `work` does, or stays what it was when a
 * server is running it; ctrl-C leaves neither half-done.
 */
export function withDatabase<T>(config: Config, work: (url: string) => Promise<T>): Promise<T> {
  return finishing(async () => {
    const database = await openDatabase(config, remark);
    try {
      return await work(database.url);
    } finally {
      await database.stop();
    }
  });
}
