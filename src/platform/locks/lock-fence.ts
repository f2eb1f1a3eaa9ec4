import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LockLostError } from './lock.errors.js';

/** No row when a greater token has been here. Index: lock_fences_pkey. */
const PASS = `
  INSERT INTO lock_fences AS fence (key, fencing_token)
  VALUES ($1, $2)
  ON CONFLICT (key) DO UPDATE SET fencing_token = excluded.fencing_token
    WHERE fence.fencing_token <= excluded.fencing_token
  RETURNING key`;

/**
 * Keeps out writes of a holder that has lost its lock without noticing: a process that stood still past its TTL and goes
 * on in the middle of its work. For whatever has a row of its own, `… SET fencing_token = $1 WHERE id = $2 AND
 * fencing_token <= $1` does the same without another table.
 */
@Injectable()
export class LockFence {
  /**
   * First thing in a transaction that a lock protects: whoever passes keeps all others with this key waiting until `tx`
   * ends, and everybody with a smaller token out for good. What is decided must be read after it.
   *
   * @param key the lock's, or that of any narrower thing it protects
   * @throws LockLostError (503) when a later holder has passed already
   */
  async pass(tx: EntityManager, key: string, fencingToken: bigint): Promise<void> {
    const passed = await tx.query<unknown[]>(PASS, [key, fencingToken]);
    if (passed.length === 0) throw new LockLostError(key);
  }
}
