import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();
// After ctrl-C no test and no teardown has its turn.
process.once('exit', removeAll);

/** A new empty folder. As root the embedded PostgreSQL runs as another user, who must pass through: hence 0755. */
export function makeTempFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `holdfast-${name}-`));
  chmodSync(folder, 0o755);
  folders.add(folder);
  return folder;
}

export function removeTempFolder(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

function removeAll(): void {
  for (const folder of folders) {
    endPostgres(join(folder, 'postgres/data'));
    removeTempFolder(folder);
  }
}

/** A PostgreSQL with its data in here runs in a session of its own, and would outlive us. */
function endPostgres(data: string): void {
  try {
    process.kill(Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL');
  } catch {
    // There is none, or it has ended.
  }
}
