import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Checkpoint } from './checkpoint.js';
import { CheckpointFile } from './checkpoint-file.js';

function checkpoint(sequence: number): Checkpoint {
  return {
    sequence,
    lines: 1,
    merkleRoot: Buffer.alloc(32, 1),
    lastHash: Buffer.alloc(32, 2),
    at: '2026-01-02T03:04:05.678901Z',
    keyId: 'abcdef0123456789',
    signature: Buffer.alloc(64, 3),
  };
}

describe('CheckpointFile', () => {
  let folder: string;
  let file: CheckpointFile;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'checkpoints-'));
    file = new CheckpointFile({ dataDir: join(folder, 'made', 'when-needed') });
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function contents(): Promise<Checkpoint[]> {
    const all: Checkpoint[] = [];
    for await (const read of file.read()) all.push(read);
    return all;
  }

  it('is empty while there is none', async () => {
    expect(await contents()).toEqual([]);
  });

  it('gives back what was appended, one JSON object a line', async () => {
    await file.append(checkpoint(1));
    await file.append(checkpoint(2));
    expect(await contents()).toEqual([checkpoint(1), checkpoint(2)]);
    expect((await readFile(file.path, 'utf8')).split('\n').map((line) => line && JSON.parse(line).sequence)).toEqual([
      1,
      2,
      '',
    ]);
  });

  it('is for its owner only', async () => {
    await file.append(checkpoint(1));
    expect((await stat(file.path)).mode & 0o777).toBe(0o600);
  });

  it('goes on after half a line that a crash left behind', async () => {
    await file.append(checkpoint(1));
    await appendFile(file.path, '{"sequence":2,"lin');
    await file.append(checkpoint(3));
    expect(await contents()).toEqual([checkpoint(1), checkpoint(3)]);
  });

  it('passes over lines that are no checkpoints', async () => {
    await file.append(checkpoint(1));
    const json = JSON.parse(await readFile(file.path, 'utf8'));
    const broken = [
      null,
      [],
      'text',
      {},
      { ...json, sequence: 1.5 },
      { ...json, lines: 0 },
      { ...json, lastHash: 'xyz' },
    ];
    await appendFile(file.path, broken.map((value) => `${JSON.stringify(value)}\n`).join(''));
    expect(await contents()).toEqual([checkpoint(1)]);
  });
});
