import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type BadLine, ChainCheck, type SealedLine } from './chain-check.js';
import type { Checkpoint } from './checkpoint.js';
import { CheckpointFile } from './checkpoint-file.js';
import { CheckpointRepository } from './checkpoint.repository.js';
import { CheckpointSigner } from './checkpoint-signer.js';
import { LINE_CONTENT } from './line-hash.js';

export interface AuditVerification {
  ok: boolean;
  /** Sealed lines that hold, from the first on without interruption. */
  lines: number;
  /** Lines not yet in the chain. */
  unsealed: number;
  /** The last line that holds, 0 if there is none. */
  lastSequence: number;
  /** Its hash in hex: written down elsewhere, it proves later that nothing up to it has changed. */
  lastHash: string | null;
  /** Checkpoints that hold. */
  checkpoints: number;
  firstBadLine: BadLine | null;
  /** RFC 3339, UTC: the database's time at the start. */
  checkedAt: string;
}

interface Extent {
  checkedAt: string;
  unsealed: number;
  lastSequence: number;
  lastCheckpoint: number;
}

/** Lines in memory at a time; about 7 ms of hashing before other work gets its turn. */
const WINDOW = 1_000;

/** Checks the whole log: every line, every checkpoint, and the checkpoints this host has kept outside the database. */
@Injectable()
export class AuditVerifier {
  private running: Promise<AuditVerification> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly checkpoints: CheckpointRepository,
    private readonly signer: CheckpointSigner,
    private readonly file: CheckpointFile,
  ) {}

  /** Verifies the log as it is now. Callers that ask meanwhile share the answer: a long log costs minutes of work. */
  verify(): Promise<AuditVerification> {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async run(): Promise<AuditVerification> {
    const extent = await this.extent();
    const chain = new ChainCheck(this.signer);
    const findings = [await this.followChain(chain, extent), missingTail(extent), await this.compareFile()];
    const [firstBadLine = null] = findings
      .filter((bad) => bad !== undefined)
      .sort((one, other) => one.sequence - other.sequence);
    return {
      ok: firstBadLine === null,
      lines: chain.lastSequence,
      unsealed: extent.unsealed,
      lastSequence: chain.lastSequence,
      lastHash: chain.lastSequence === 0 ? null : chain.lastHash.toString('hex'),
      checkpoints: chain.checkpoints,
      firstBadLine,
      checkedAt: extent.checkedAt,
    };
  }

  /** One statement, one snapshot: a checkpoint it sees has its lines in it too. */
  private async extent(): Promise<Extent> {
    const [row] = await this.dataSource.query<Extent[]>(
      `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "checkedAt",
              (SELECT count(*) FROM audit_log WHERE hash IS NULL)::float8 AS unsealed,
              coalesce((SELECT max(sequence) FROM audit_log), 0)::float8 AS "lastSequence",
              coalesce((SELECT max(sequence) FROM audit_checkpoints), 0)::float8 AS "lastCheckpoint"`,
    );
    if (!row) throw new Error('The extent of the audit log cannot be read');
    return row;
  }

  private async followChain(chain: ChainCheck, { lastSequence }: Extent): Promise<BadLine | undefined> {
    while (chain.lastSequence < lastSequence) {
      const after = chain.lastSequence;
      const upTo = Math.min(after + WINDOW, lastSequence);
      const [lines, checkpoints] = await Promise.all([
        this.linesBetween(after, upTo),
        this.checkpoints.between(after, upTo),
      ]);
      const bad = checkWindow(chain, lines, checkpoints);
      if (bad) return bad;
      if (chain.lastSequence < upTo) return { sequence: chain.lastSequence + 1, reason: 'The line is missing.' };
    }
    return undefined;
  }

  /** Lines with `after < sequence <= upTo`, in order. Index: uq_audit_log_sequence. */
  private linesBetween(after: number, upTo: number): Promise<SealedLine[]> {
    return this.dataSource.query(
      `SELECT l.sequence::float8 AS sequence, l.prev_hash, l.hash, ${LINE_CONTENT}
       FROM audit_log AS l WHERE l.sequence > $1 AND l.sequence <= $2 ORDER BY l.sequence`,
      [after, upTo],
    );
  }

  /** Whatever the file knows must be in the table, unchanged; other hosts have written the rest of the table. */
  private async compareFile(): Promise<BadLine | undefined> {
    let first: BadLine | undefined;
    const compare = async (kept: readonly Checkpoint[]): Promise<void> => {
      const stored = new Map(
        (await this.checkpoints.at(kept.map(({ sequence }) => sequence))).map((c) => [c.sequence, c]),
      );
      for (const checkpoint of kept) {
        const bad = this.compareKept(checkpoint, stored.get(checkpoint.sequence));
        if (bad && (!first || bad.sequence < first.sequence)) first = bad;
      }
    };
    let window: Checkpoint[] = [];
    for await (const checkpoint of this.file.read()) {
      window.push(checkpoint);
      if (window.length === WINDOW) await compare(window.splice(0));
    }
    await compare(window);
    return first;
  }

  private compareKept(kept: Checkpoint, stored: Checkpoint | undefined): BadLine | undefined {
    if (stored && stored.signature.equals(kept.signature)) return undefined;
    const { sequence, lines } = kept;
    const signature = this.signer.stateOf(kept);
    const reason =
      signature === 'valid'
        ? `a checkpoint kept in ${this.file.path} is ${stored ? 'different' : 'missing'} in the database: the log was cut or rewritten.`
        : `a checkpoint kept in ${this.file.path} does not hold: its signature is ${signature}.`;
    return { sequence: sequence - lines + 1, reason: `Lines ${sequence - lines + 1} to ${sequence}: ${reason}` };
  }
}

function checkWindow(
  chain: ChainCheck,
  lines: readonly SealedLine[],
  checkpoints: readonly Checkpoint[],
): BadLine | undefined {
  const waiting = new Map(checkpoints.map((checkpoint) => [checkpoint.sequence, checkpoint]));
  for (const line of lines) {
    const checkpoint = waiting.get(line.sequence);
    const bad = chain.line(line) ?? (checkpoint && chain.checkpoint(checkpoint));
    if (bad) return bad;
  }
  return undefined;
}

function missingTail({ lastSequence, lastCheckpoint }: Extent): BadLine | undefined {
  if (lastCheckpoint <= lastSequence) return undefined;
  return {
    sequence: lastSequence + 1,
    reason: `The line is missing, and all up to ${lastCheckpoint}: the tail was cut.`,
  };
}
