import { cpus, totalmem } from 'node:os';
import { embeddedVersion } from './bench-database.js';

/** What the figures were measured on. */
export function machine() {
  const cores = cpus();
  const facts = {
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'unknown CPU',
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    postgres: embeddedVersion(),
  };
  const { cpu, memoryGib, node, postgres } = facts;
  const line = `${facts.cores} cores ${cpu}, ${memoryGib} GiB, Node ${node}, PostgreSQL ${postgres} (fsync and synchronous_commit on)`;
  return { ...facts, line };
}
