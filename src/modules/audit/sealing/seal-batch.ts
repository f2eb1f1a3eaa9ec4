import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import type { Checkpoint } from '../checkpoints/checkpoint.js';
import { CheckpointRepository } from '../checkpoints/checkpoint.repository.js';
import { CheckpointSigner } from '../checkpoints/checkpoint-signer.js';
import { MerkleTree } from '../checkpoints/merkle-tree.js';
import { AuditLog, type NewAuditLine } from '../audit-log.js';
import { GENESIS_HASH, type LineContent, lineHash } from '../line-hash.js';
import { type ChainEnd, type ChainPlace, SealRepository } from './seal.repository.js';
import { UnsealedSearch } from './unsealed-search.js';

/** A checkpoint is due after this many lines. */
const CHECKPOINT_LINES = 10_000;

/** With fewer lines a checkpoint is due after this time: what is cut off within it is known to this process alone. */
const CHECKPOINT_SECONDS = 60;

/** Lines hashed before other work gets the event loop: about 3 ms. */
const LINES_PER_TURN = 500;

export interface SealedBatch {
  /** Of the lines sealed, in chain order. */
  ids: readonly string[];
  /** Seconds the oldest of them had waited. */
  lag: number;
  checkpoint: Checkpoint | undefined;
  /** The end of the chain now. */
  end: ChainPlace;
  /** Sealed lines that were there before are no longer in the log. */
  cut: boolean;
}

/**
 * Seals one batch in one transaction.
 *
 * Lines are taken in the order of their ids as far as they are visible. A transaction that commits late shows lines with
 * smaller ids afterwards; they get the next places. That is sound because the chain fixes what was recorded and that
 * nothing is lost or changed later, not when: each line carries its own time, a line is visible for good once it is
 * visible at all, and a line is waiting as long as its hash is missing, whatever ids have been passed meanwhile (see
 * `UnsealedSearch`).
 *
 * It remembers the end of the chain it saw last, its own or another sealer's, and looks whether that is still there: lines
 * cut off before a checkpoint knows of them would else leave no trace.
 */
@Injectable()
export class SealBatch {
  private readonly search = new UnsealedSearch();
  private seen: ChainPlace | undefined;

  constructor(
    private readonly transactor: Transactor,
    private readonly repository: SealRepository,
    private readonly checkpoints: CheckpointRepository,
    private readonly signer: CheckpointSigner,
    private readonly log: AuditLog,
  ) {}

  /**
   * @param size lines at most
   * @param closing look at every id, and write a checkpoint for whatever has none yet
   * @returns undefined when another replica is sealing
   */
  async run(size: number, closing = false): Promise<SealedBatch | undefined> {
    const floor = closing ? 0 : this.search.floor();
    const sealed = await this.transactor.run(
      async (tx) => ((await this.repository.lock(tx)) ? this.seal(tx, floor, size, closing) : undefined),
      // The lock admits one sealer and lines never change but by it: there is nothing to serialize with.
      READ_COMMITTED,
    );
    if (!sealed) return undefined;
    this.search.found(floor, sealed.ids, sealed.ids.length < size);
    if (sealed.end.sequence > 0) this.seen = sealed.end;
    return sealed;
  }

  private async seal(tx: EntityManager, floor: number, size: number, closing: boolean): Promise<SealedBatch> {
    const end = await this.repository.chainEnd(tx, floor, this.seen?.sequence);
    const { cut, ...start } = startAfter(end, this.seen);
    // A line of its own, so that the gap has something behind it at once, also where nothing else happens.
    if (cut) await this.log.record(tx, [cutLine(end, start)]);
    const lines = end.lag === null && !cut ? [] : await this.repository.unsealed(tx, floor, size);
    const hashes = await chain(start, lines);
    const ids = lines.map(({ id }) => id);
    if (ids.length > 0) await this.repository.seal(tx, start, ids, hashes);

    const last = { sequence: start.sequence + lines.length, hash: hashes.at(-1) ?? start.hash };
    const covered = end.checkpointSequence ?? 0;
    const checkpoint = isDue(last.sequence - covered, end.checkpointAge, closing)
      ? this.signer.sign({
          sequence: last.sequence,
          lines: last.sequence - covered,
          merkleRoot: rootOf(await this.repository.hashes(tx, covered, last.sequence)),
          lastHash: last.hash,
          at: end.now,
        })
      : undefined;
    if (checkpoint) await this.checkpoints.insert(tx, checkpoint);
    return { ids, lag: end.lag ?? 0, checkpoint, end: last, cut };
  }
}

/**
 * The place before the next line: after the last line, or after the last one known to the checkpoints or seen before, if
 * that is gone. Going on behind the gap keeps it visible for ever; filling it would make the chain look whole.
 */
function startAfter(end: ChainEnd, seen: ChainPlace | undefined): ChainPlace & { cut: boolean } {
  const { lastSequence, lastHash, checkpointSequence, checkpointHash, seenHash } = end;
  const last = { sequence: lastSequence ?? 0, hash: lastHash ?? GENESIS_HASH };
  let known = seen ?? last;
  if (checkpointSequence !== null && checkpointHash !== null && checkpointSequence > known.sequence) {
    known = { sequence: checkpointSequence, hash: checkpointHash };
  }
  if (known.sequence > last.sequence) return { ...known, cut: true };
  // Cut, and others have filled the places since: the next line follows what was there.
  if (seen && !seenHash?.equals(seen.hash)) return { sequence: last.sequence, hash: seen.hash, cut: true };
  return { ...last, cut: false };
}

function cutLine({ lastSequence }: ChainEnd, { sequence }: ChainPlace): NewAuditLine {
  return {
    actor: 'system:audit',
    action: 'audit_log.cut',
    details: { found: lastSequence ?? 0, expected: sequence },
  };
}

async function chain(start: ChainPlace, lines: readonly LineContent[]): Promise<Buffer[]> {
  const hashes: Buffer[] = [];
  let hash = start.hash;
  for (const [index, line] of lines.entries()) {
    if (index % LINES_PER_TURN === LINES_PER_TURN - 1) await nextTurn();
    hash = lineHash(hash, start.sequence + index + 1, line);
    hashes.push(hash);
  }
  return hashes;
}

function isDue(lines: number, age: number | null, closing: boolean): boolean {
  return lines > 0 && (closing || lines >= CHECKPOINT_LINES || age === null || age >= CHECKPOINT_SECONDS);
}

function rootOf(hashes: readonly Buffer[]): Buffer {
  const tree = new MerkleTree();
  for (const hash of hashes) tree.add(hash);
  return tree.root();
}
