import type { INestApplicationContext } from '@nestjs/common';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config/index.js';
import { BootstrapKeys } from './modules/api-keys/index.js';

/** Where the first admin key is kept for its owner, readable by nobody else. */
export function firstKeyPath(config: Config): string {
  return join(config.dataDir, 'admin.key');
}

/**
 * Makes sure somebody can get in: registers `BOOTSTRAP_API_KEY`, or outside production creates a first admin key and
 * keeps it under `DATA_DIR`. In production nothing secret is made behind the operator's back.
 *
 * @returns a key to show, null when there is none to show
 */
export async function firstKey(app: INestApplicationContext, config: Config): Promise<string | null> {
  const keys = app.get(BootstrapKeys);
  if (config.BOOTSTRAP_API_KEY) {
    await keys.ensureBootstrapKey(config.BOOTSTRAP_API_KEY);
    return null;
  }
  if (config.isProduction) return null;
  const path = firstKeyPath(config);
  const created = await keys.ensureFirstAdminKey();
  if (created !== null) {
    mkdirSync(config.dataDir, { recursive: true });
    writeFileSync(path, `${created}\n`, { mode: 0o600 });
    return created;
  }
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
}
