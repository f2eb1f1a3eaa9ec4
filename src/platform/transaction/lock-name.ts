import type { EntityManager } from 'typeorm';

/** Until `tx` ends, whoever else asks for the name waits. An advisory lock: there need be no row yet. */
export async function lockName(tx: EntityManager, name: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}
