import { Injectable } from '@nestjs/common';
import { AuditLinesRepository, type LogExtent } from './audit-lines.repository.js';
import { ChainCheck, type SealedLine } from './chain-check.js';
import type { Checkpoint } from './checkpoints/checkpoint.js';
import { CheckpointFile } from './checkpoints/checkpoint-file.js';
import { CheckpointRepository } from './checkpoints/checkpoint.repository.js';
import { CheckpointSigner } from './checkpoints/checkpoint-signer.js';
import { TrustedKeys } from './checkpoints/trusted-keys.js';
import type { AuditVerificationDto, BadAuditLineDto } from './dto/audit-verification.dto.js';

/** Lines in memory at a time; about 7 ms of hashing before other work gets its turn. */
const WINDOW = 1_000;

/** Checks the whole log: every line, every checkpoint, and the checkpoints this host has kept outside the database. */
@Injectable()
export class AuditVerifier {
  private running: Promise<AuditVerificationDto> | undefined;

  constructor(
    private readonly lines: AuditLinesRepository,
    private readonly checkpoints: CheckpointRepository,
    private readonly signer: CheckpointSigner,
    private readonly file: CheckpointFile,
  ) {}

  /** Verifies the log as it is now. Callers that ask meanwhile share the answer: a long log costs minutes of work. */
  verify(): Promise<AuditVerificationDto> {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async run(): Promise<AuditVerificationDto> {
    const extent = await this.lines.extent();
    const keys = new TrustedKeys(this.signer, await this.checkpoints.formerKeys());
    const chain = new ChainCheck(keys);
    const findings = [await this.followChain(chain, extent), missingTail(extent), await this.compareFile(keys)];
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
      checkedAt: extent.at,
    };
  }

  private async followChain(chain: ChainCheck, { lastSequence }: LogExtent): Promise<BadAuditLineDto | undefined> {
    while (chain.lastSequence < lastSequence) {
      const after = chain.lastSequence;
      const upTo = Math.min(after + WINDOW, lastSequence);
      const [lines, checkpoints] = await Promise.all([
        this.lines.sealedBetween(after, upTo),
        this.checkpoints.between(after, upTo),
      ]);
      const bad = checkWindow(chain, lines, checkpoints);
      if (bad) return bad;
      if (chain.lastSequence < upTo) return { sequence: chain.lastSequence + 1, reason: 'The line is missing.' };
    }
    return undefined;
  }

  /** Whatever the file knows must be in the table, unchanged; other hosts have written the rest of the table. */
  private async compareFile(keys: TrustedKeys): Promise<BadAuditLineDto | undefined> {
    let first: BadAuditLineDto | undefined;
    const compare = async (kept: readonly Checkpoint[]): Promise<void> => {
      const stored = new Map(
        (await this.checkpoints.at(kept.map(({ sequence }) => sequence))).map((c) => [c.sequence, c]),
      );
      for (const checkpoint of kept) {
        const bad = this.compareKept(keys, checkpoint, stored.get(checkpoint.sequence));
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

  private compareKept(
    keys: TrustedKeys,
    kept: Checkpoint,
    stored: Checkpoint | undefined,
  ): BadAuditLineDto | undefined {
    if (stored && stored.signature.equals(kept.signature)) return undefined;
    const { sequence, lines } = kept;
    const signature = keys.stateOf(kept);
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
): BadAuditLineDto | undefined {
  const waiting = new Map(checkpoints.map((checkpoint) => [checkpoint.sequence, checkpoint]));
  for (const line of lines) {
    const checkpoint = waiting.get(line.sequence);
    const bad = chain.line(line) ?? (checkpoint && chain.checkpoint(checkpoint));
    if (bad) return bad;
  }
  return undefined;
}

function missingTail({ lastSequence, lastCheckpoint }: LogExtent): BadAuditLineDto | undefined {
  if (lastCheckpoint <= lastSequence) return undefined;
  return {
    sequence: lastSequence + 1,
    reason: `The line is missing, and all up to ${lastCheckpoint}: the tail was cut.`,
  };
}
