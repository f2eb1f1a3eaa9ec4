import type { EntityManager } from 'typeorm';
import { PROCESS_NAME } from '../../kernel/process-name.js';
import type { Transactor } from '../transaction/index.js';
import { ClaimLostError } from './work.errors.js';
import { bounds, OURS_IN_PLACE, STILL_OURS, statementsOf, type WorkTable } from './work-table.js';

/** A piece of work this process may do until its lease ends. */
export interface Claimed {
  id: string;
  claimId: string;
  /** Where its row lies (`ctid`); a heartbeat moves it. */
  place: string;
  /** True when this claim took it over from a worker that did not come back. */
  takenOver: boolean;
}

export interface QueueLength {
  waiting: number;
  running: number;
  /** Seconds that the oldest of those that are due has waited. */
  age: number;
}

/** A heartbeat comes this often while a lease lasts, so that it survives two that are missed. */
export const HEARTBEATS_PER_LEASE = 3;

const BOUND = bounds(1);

/**
 * Work that waits in a table: who may do what, until when. A queue of its own extends it by what ends a claim: its verdicts, and
 * what is written with them. All times are the database's.
 */
export class WorkQueue<T extends Claimed> {
  private readonly statements;

  constructor(
    protected readonly transactor: Transactor,
    readonly work: WorkTable,
    readonly leaseMs: number,
  ) {
    this.statements = statementsOf(work);
  }

  /** Those of a claim that are claimed still, whoever made it; undefined when it was lost. */
  async claimed(id: string, claimId: string): Promise<T | undefined> {
    const [found] = await this.transactor.statement<T>(this.statements.claimed, [id, claimId]);
    return found;
  }

  /** Heartbeat: another lease for every claim that is still ours. @returns the ids of those claims */
  async extend(claims: readonly Pick<T, 'id' | 'claimId'>[]): Promise<Set<string>> {
    const parameters = [...idsOf(claims), this.leaseMs];
    const rows = await this.transactor.statement<{ claimId: string }>(this.statements.extend, parameters);
    return new Set(rows.map(({ claimId }) => claimId));
  }

  async length(): Promise<QueueLength> {
    const [length] = await this.transactor.statement<QueueLength>(this.statements.length, []);
    if (!length) throw new Error(`The ${this.work.noun}s could not be counted`);
    return length;
  }

  /**
   * Runs `effect` in a transaction that ends the claim, too: both commit, or neither. May run it again, as `Transactor.run` may.
   *
   * @param timeoutMs in which each statement of it is done; when it falls silent for that long, or a lease if that is longer,
   *   PostgreSQL ends it
   * @param head of the statement that ends the claim, up to its WHERE
   * @throws ClaimLostError when somebody else has it: nothing was done
   */
  async finishWith(claim: T, head: string, timeoutMs: number, effect: (tx: EntityManager) => Promise<void>) {
    for (let found: T | undefined = claim; found; found = await this.claimed(claim.id, claim.claimId)) {
      const { id, claimId, place } = found;
      const finished = await this.transactor.run(async (tx) => {
        const idleTimeout = Math.max(this.leaseMs, timeoutMs);
        const parameters = [id, claimId, place, String(timeoutMs), String(idleTimeout)];
        // A heartbeat has moved it, or it was lost.
        if ((await tx.query<unknown[]>(this.statements.begin, parameters)).length === 0) return false;
        await effect(tx);
        const [, ended] = await tx.query<[object[], number]>(`${head} WHERE ${OURS_IN_PLACE}`, [id, claimId, place]);
        if (ended === 0) throw new ClaimLostError(this.work.noun);
        return true;
      });
      if (finished) return;
    }
    throw new ClaimLostError(this.work.noun);
  }

  /** For an attempt whose claim is proved when it ends: the first statement of its transaction. */
  async bound(tx: EntityManager, timeoutMs: number, silenceMs: number): Promise<void> {
    await tx.query(BOUND, [String(timeoutMs), String(silenceMs)]);
  }

  /**
   * Claims what is due, what is due longest first, skipping what others are claiming.
   *
   * @param room and what else the description of the table asks for
   * @returns them in order of their ids
   */
  protected claimDue(...room: unknown[]): Promise<T[]> {
    return this.transactor.statement<T>(this.statements.claim, [PROCESS_NAME, this.leaseMs, ...room]);
  }

  /**
   * Ends claims, each if it is still ours: otherwise somebody else decides about it now.
   *
   * @param head of the statement, up to its WHERE; its own parameters begin with `$3`
   * @returns how many were ours
   */
  protected end(claims: readonly T[], head: string, ...parameters: unknown[]): Promise<number> {
    return this.transactor.affected(`${head} WHERE ${STILL_OURS}`, [...idsOf(claims), ...parameters]);
  }
}

/** The parameters `$1` and `$2` of `STILL_OURS`. */
export function idsOf(claims: readonly { id: string; claimId: string }[]): [ids: string[], claimIds: string[]] {
  return [claims.map(({ id }) => id), claims.map(({ claimId }) => claimId)];
}
