import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

/** Reads `.env` beside package.json, if there is one. What the shell has set already wins. */
export function loadEnvFile() {
  const path = join(root, '.env');
  if (existsSync(path)) process.loadEnvFile(path);
}
