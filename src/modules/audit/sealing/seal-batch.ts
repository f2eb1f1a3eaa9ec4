import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import type { Checkpoint } from '../checkpoints/checkpoint.js';
import { CheckpointRepository } from '../checkpoints/checkpoint.repository.js';
import { CheckpointSigner } from '../checkpoints/checkpoint-signer.js';
import { MerkleTree } from '../checkpoints/merkle-tree.js';
import { GENESIS_HASH, type LineContent, lineHash } from '../line-hash.js';
import { type ChainEnd, SealRepository } from './seal.repository.js';
import { UnsealedSearch } from './unsealed-search.js';

/** A checkpoint is due after this many lines. */
const CHECKPOINT_LINES = 10_000;

/** With fewer lines a checkpoint is due after this time: what is cut off within it leaves no trace outside the log. */
const CHECKPOINT_SECONDS = 60;

/** Lines hashed before other work gets the event loop: about 3 ms. */
const LINES_PER_TURN = 500;

export interface SealedBatch {
  /** Of the lines sealed, in chain order. */
  ids: readonly string[];
  /** Seconds the oldest of them had waited. */
  lag: number;
  checkpoint: Checkpoint | undefined;
  /** The last line the checkpoints know is no longer in the log. */
  tailMissing: boolean;
}

/**
 * Seals one batch in one transaction.
 *
 * Lines are taken in the order of their ids as far as they are visible. A transaction that commits late shows lines with
 * smaller ids afterwards; they get the next places. That is sound because the chain fixes what was recorded and that
 * nothing is lost or changed later, not when: each line carries its own time, a line is visible for good once it is
 * visible at all, and a line is waiting as long as its hash is missing, whatever ids have been passed meanwhile (see
 * `UnsealedSearch`).
 */
@Injectable()
export class SealBatch {
  private readonly search = new UnsealedSearch();

  constructor(
    private readonly transactor: Transactor,
    private readonly repository: SealRepository,
    private readonly checkpoints: CheckpointRepository,
    private readonly signer: CheckpointSigner,
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
    if (sealed) this.search.found(floor, sealed.ids, sealed.ids.length < size);
    return sealed;
  }

  private async seal(tx: EntityManager, floor: number, size: number, closing: boolean): Promise<SealedBatch> {
    const end = await this.repository.chainEnd(tx, floor);
    const lines = end.lag === null ? [] : await this.repository.unsealed(tx, floor, size);
    const start = startAfter(end);
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
    return { ids, lag: end.lag ?? 0, checkpoint, tailMissing: covered > (end.lastSequence ?? 0) };
  }
}

/**
 * The place before the next line: after the last line, or after the last checkpoint if the lines it covers are gone.
 * Going on behind the gap keeps it visible for ever; filling it would make the chain look whole.
 */
function startAfter(end: ChainEnd): { sequence: number; hash: Buffer } {
  const { lastSequence, lastHash, checkpointSequence, checkpointHash } = end;
  if (checkpointSequence !== null && checkpointHash !== null && checkpointSequence > (lastSequence ?? 0)) {
    return { sequence: checkpointSequence, hash: checkpointHash };
  }
  return { sequence: lastSequence ?? 0, hash: lastHash ?? GENESIS_HASH };
}

async function chain(start: { sequence: number; hash: Buffer }, lines: readonly LineContent[]): Promise<Buffer[]> {
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
