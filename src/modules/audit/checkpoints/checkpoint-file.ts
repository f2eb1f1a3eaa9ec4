import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { type Checkpoint, checkpointToJson } from './checkpoint.js';

const HEX = /^(?:[0-9a-f]{2})+$/;
const NEWLINE = '\n'.charCodeAt(0);

/**
 * The checkpoints this host has written, one JSON object a line, outside the database: cutting the tail of the log and
 * of `audit_checkpoints` alike still shows against it.
 */
@Injectable()
export class CheckpointFile {
  readonly path: string;

  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'dataDir'>) {
    this.path = join(config.dataDir, 'audit-checkpoints.jsonl');
  }

  /** Appends a committed checkpoint and waits until the disk has it. */
  async append(checkpoint: Checkpoint): Promise<void> {
    await mkdir(this.config.dataDir, { recursive: true });
    const file = await open(this.path, 'a+', 0o600);
    try {
      const { size } = await file.stat();
      const last = size === 0 ? NEWLINE : (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0];
      // A crash may have left half a line; the next one must not become part of it.
      await file.appendFile(`${last === NEWLINE ? '' : '\n'}${JSON.stringify(checkpointToJson(checkpoint))}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** Every checkpoint in the file, in its order; a line that is none is passed over. No file, no checkpoints. */
  async *read(): AsyncGenerator<Checkpoint> {
    const file = await openIfThere(this.path);
    if (!file) return;
    try {
      for await (const line of file.readLines()) {
        const checkpoint = parseCheckpoint(line);
        if (checkpoint) yield checkpoint;
      }
    } finally {
      await file.close();
    }
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseCheckpoint(line: string): Checkpoint | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { sequence, lines, merkleRoot, lastHash, at, keyId, signature }: Record<string, unknown> = { ...value };
  return isCount(sequence) &&
    isCount(lines) &&
    isHex(merkleRoot) &&
    isHex(lastHash) &&
    typeof at === 'string' &&
    typeof keyId === 'string' &&
    isHex(signature)
    ? {
        sequence,
        lines,
        merkleRoot: Buffer.from(merkleRoot, 'hex'),
        lastHash: Buffer.from(lastHash, 'hex'),
        at,
        keyId,
        signature: Buffer.from(signature, 'hex'),
      }
    : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function isHex(value: unknown): value is string {
  return typeof value === 'string' && HEX.test(value);
}
