import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { DataSource, type EntityManager } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ValidationError } from '../../src/kernel/app-error.js';
import type { NewAuditLine } from '../../src/modules/audit/index.js';
import { AuditLinesRepository } from '../../src/modules/audit/audit-lines.repository.js';
import { AuditLog } from '../../src/modules/audit/audit-log.js';
import { AuditSealer } from '../../src/modules/audit/sealing/audit-sealer.js';
import { AuditReader } from '../../src/modules/audit/audit-reader.js';
import { AuditVerifier } from '../../src/modules/audit/audit-verifier.js';
import { CheckpointFile } from '../../src/modules/audit/checkpoints/checkpoint-file.js';
import { CheckpointSigner } from '../../src/modules/audit/checkpoints/checkpoint-signer.js';
import { CheckpointRepository } from '../../src/modules/audit/checkpoints/checkpoint.repository.js';
import type { ListAuditQueryDto } from '../../src/modules/audit/dto/list-audit-query.dto.js';
import { SealBatch } from '../../src/modules/audit/sealing/seal-batch.js';
import { SealRepository } from '../../src/modules/audit/sealing/seal.repository.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { RepeatingTasks } from '../../src/platform/schedule/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase } from '../support/database.js';

type TestDatabase = Awaited<ReturnType<typeof createTestDatabase>>;

const log = new AuditLog();

/** One replica: its own connections, its own folder. */
class Replica {
  readonly metrics = new Metrics();
  readonly transactor: Transactor;
  readonly sealer: AuditSealer;
  readonly tasks: RepeatingTasks;
  readonly verifier: AuditVerifier;
  readonly reader: AuditReader;
  readonly file: CheckpointFile;
  readonly batch: SealBatch;

  constructor(
    readonly dataSource: DataSource,
    dataDir: string,
    role: 'all' | 'api' = 'all',
    encryptionKey = Buffer.alloc(32, 1),
  ) {
    const signer = new CheckpointSigner({ encryptionKey });
    const checkpoints = new CheckpointRepository(dataSource);
    this.transactor = new Transactor(dataSource, this.metrics);
    this.file = new CheckpointFile({ dataDir });
    this.batch = new SealBatch(this.transactor, new SealRepository(), checkpoints, signer, log);
    this.sealer = new AuditSealer({ role }, this.batch, this.file, this.metrics);
    const scheduler = new SchedulerRegistry();
    this.tasks = new RepeatingTasks({ role }, scheduler);
    this.tasks.begin(this.sealer);
    // It runs when a test says so.
    for (const name of scheduler.getIntervals()) scheduler.deleteInterval(name);
    const auditLines = new AuditLinesRepository(dataSource);
    this.verifier = new AuditVerifier(auditLines, checkpoints, signer, this.file);
    this.reader = new AuditReader(auditLines, checkpoints);
  }

  record(...recorded: NewAuditLine[]): Promise<void> {
    return this.transactor.run((tx) => log.record(tx, recorded));
  }

  /** What its timer does every second. */
  tick(): Promise<void> {
    return this.tasks.run('audit sealing');
  }

  /** As its process does. */
  async end(): Promise<void> {
    await this.tasks.beforeApplicationShutdown();
    await this.sealer.onApplicationShutdown();
  }

  async sealAll(): Promise<void> {
    while ((await this.sealer.seal()) > 0);
  }
}

function lines(count: number, action = 'thing.done'): NewAuditLine[] {
  return Array.from({ length: count }, (_, index) => ({ actor: 'system', action, details: { index } }));
}

function query(filter: Partial<ListAuditQueryDto> = {}): ListAuditQueryDto {
  return { limit: 50, ...filter };
}

describe('the audit log', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let folder: string;
  let replica: Replica;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  });

  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  beforeEach(async () => {
    await tamper('TRUNCATE audit_log RESTART IDENTITY', 'TRUNCATE audit_checkpoints');
    folder = await mkdtemp(join(tmpdir(), 'audit-'));
    replica = new Replica(dataSource, folder);
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** Does what the triggers refuse, as only the owner of the table can. */
  async function tamper(...statements: string[]): Promise<void> {
    await dataSource.transaction(async (tx) => {
      await setTriggers(tx, 'DISABLE');
      for (const statement of statements) await tx.query(statement);
      await setTriggers(tx, 'ENABLE ALWAYS');
    });
  }

  async function setTriggers(tx: EntityManager, state: 'DISABLE' | 'ENABLE ALWAYS'): Promise<void> {
    const triggers: { table: string; name: string }[] = await tx.query(
      `SELECT tgrelid::regclass::text AS table, tgname AS name FROM pg_trigger
       WHERE tgrelid IN ('audit_log'::regclass, 'audit_checkpoints'::regclass) AND NOT tgisinternal`,
    );
    for (const { table, name } of triggers) await tx.query(`ALTER TABLE ${table} ${state} TRIGGER ${name}`);
  }

  async function sealedIds(): Promise<number[]> {
    const rows: { id: number }[] = await dataSource.query(
      'SELECT id::float8 AS id FROM audit_log WHERE sequence IS NOT NULL ORDER BY sequence',
    );
    return rows.map(({ id }) => id);
  }

  describe('is append-only', () => {
    const unsealedChanges = [
      `UPDATE audit_log SET actor = 'mallory'`,
      `UPDATE audit_log SET details = '{}', sequence = 9, prev_hash = '\\x00', hash = '\\x00'`,
      `UPDATE audit_log SET at = at - interval '1 microsecond', sequence = 9, prev_hash = '\\x00', hash = '\\x00'`,
      `UPDATE audit_log SET subject = '', sequence = 9, prev_hash = '\\x00', hash = '\\x00'`,
      `UPDATE audit_log SET hash = '\\x00'`,
    ];
    const always = ['DELETE FROM audit_log', 'TRUNCATE audit_log', 'UPDATE audit_log SET actor = actor'];
    const sealedChanges = [
      'UPDATE audit_log SET sequence = NULL, prev_hash = NULL, hash = NULL',
      'UPDATE audit_log SET sequence = sequence + 10',
      `UPDATE audit_log SET hash = '\\x00'`,
      'DELETE FROM audit_checkpoints',
      'TRUNCATE audit_checkpoints',
      'UPDATE audit_checkpoints SET lines = lines + 1',
    ];

    async function expectRefused(statements: readonly string[]): Promise<void> {
      for (const statement of statements) {
        const refusal = await dataSource.query(statement).catch((error: Error) => error.message);
        expect({ statement, refusal }).toEqual({ statement, refusal: expect.stringMatching(/append-only/) });
      }
    }

    it('refuses every change to a line that is not sealed, but the seal', async () => {
      await replica.record(...lines(2));
      await expectRefused([...unsealedChanges, ...always]);
    });

    it('refuses every change to a sealed line and to a checkpoint', async () => {
      await replica.record(...lines(2));
      await replica.sealAll();
      await expectRefused([...sealedChanges, ...always]);
    });

    it('refuses a line that comes with a place in the chain', async () => {
      await expect(
        dataSource.query(
          `INSERT INTO audit_log (actor, action, sequence, prev_hash, hash)
           VALUES ('mallory', 'nothing.happened', 1, '\\x00', '\\x00')`,
        ),
      ).rejects.toThrow(/append-only/);
    });

    it('refuses as well in a session that plays a replica', async () => {
      await replica.record(...lines(2));
      await expect(
        dataSource.transaction(async (tx) => {
          await tx.query('SET LOCAL session_replication_role = replica');
          await tx.query('DELETE FROM audit_log');
        }),
      ).rejects.toThrow(/append-only/);
    });
  });

  describe('recording', () => {
    it('is part of the transaction it belongs to', async () => {
      await expect(
        replica.transactor.run(async (tx) => {
          await log.record(tx, lines(3));
          throw new Error('changed my mind');
        }),
      ).rejects.toThrow('changed my mind');
      expect((await replica.reader.list(query())).data).toEqual([]);
    });

    it('refuses to write outside a transaction', async () => {
      await expect(log.record(dataSource.manager, lines(1))).rejects.toThrow(/inside a transaction/);
    });

    it('never fails over what a line says, and keeps no secret', async () => {
      await replica.record({
        actor: 'cli:a\0b',
        action: 'x'.repeat(1_000),
        subject: 'half \ud83d a pair',
        requestId: 'r\0',
        ip: 'not an address, and far too long to be one of any kind at all',
        details: {
          'na\0me': 'va\0lue \udc00',
          password: 'hunter2',
          nested: [{ apiKey: 'abc' }],
          amount: 5n,
          when: NaN,
        },
      });
      const [line] = (await replica.reader.list(query())).data;
      expect(line).toMatchObject({
        actor: 'cli:a\uFFFDb',
        subject: 'half \uFFFD a pair',
        details: {
          'na\uFFFDme': 'va\uFFFDlue \uFFFD',
          password: '[redacted]',
          nested: [{ apiKey: '[redacted]' }],
          amount: 5,
          when: null,
        },
      });
      expect(line?.action).toHaveLength(100);
    });

    it('works from inside a larger statement, because every other column fills itself', async () => {
      await dataSource.query(
        `WITH accepted AS (SELECT generate_series(1, 3) AS number)
         INSERT INTO audit_log (actor, action, subject, request_id, ip, details)
         SELECT 'webhook:stripe', 'webhook.received', 'webhook-event:' || number, NULL, NULL, '{}'::jsonb FROM accepted`,
      );
      await replica.sealAll();
      expect(await replica.verifier.verify()).toMatchObject({ ok: true, lines: 3, unsealed: 0 });
    });
  });

  describe('sealing', () => {
    it('chains lines of many transactions at once without a gap', async () => {
      await Promise.all(Array.from({ length: 40 }, () => replica.record(...lines(25))));
      await replica.sealAll();
      expect(await replica.verifier.verify()).toMatchObject({
        ok: true,
        lines: 1_000,
        unsealed: 0,
        lastSequence: 1_000,
      });
    });

    it('gives a line that commits late the next place, though its id is smaller', async () => {
      const late = dataSource.createQueryRunner();
      try {
        await late.startTransaction();
        await log.record(late.manager, lines(1, 'late.line'));
        await replica.record(...lines(3));
        await replica.sealAll();
        expect(await sealedIds()).toEqual([2, 3, 4]);

        await late.commitTransaction();
        await replica.sealAll();
      } finally {
        await late.release();
      }
      expect(await sealedIds()).toEqual([2, 3, 4, 1]);
      expect(await replica.verifier.verify()).toMatchObject({ ok: true, lines: 4, unsealed: 0 });
    });

    it('finds within a minute a line that commits after a hundred thousand younger ones', async () => {
      const late = dataSource.createQueryRunner();
      const clock = jest.spyOn(performance, 'now');
      try {
        await late.startTransaction();
        await log.record(late.manager, lines(1, 'late.line'));
        await dataSource.query(`SELECT setval(pg_get_serial_sequence('audit_log', 'id'), 200000)`);
        await replica.record(...lines(1));
        await replica.sealAll();
        await late.commitTransaction();
        await replica.sealAll();
        expect(await sealedIds()).toEqual([200_001]);

        clock.mockReturnValue(performance.now() + 60_000);
        await replica.sealAll();
        expect(await sealedIds()).toEqual([200_001, 1]);
        expect((await replica.verifier.verify()).ok).toBe(true);
      } finally {
        clock.mockRestore();
        await late.release();
      }
    });

    it('is done by one sealer at a time, and all together leave nothing out', async () => {
      const others = await Promise.all(
        [1, 2].map(() => new DataSource({ type: 'postgres', url: database.url }).initialize()),
      );
      try {
        const replicas = [replica, ...others.map((other, index) => new Replica(other, join(folder, String(index))))];
        const recording = Promise.all(Array.from({ length: 30 }, () => replica.record(...lines(100))));
        const rounds = Array.from({ length: 15 }, () => replicas.map(({ batch }) => batch.run(150))).flat();
        await Promise.all([recording, ...rounds]);
        await replica.sealAll();
        expect(await replica.verifier.verify()).toMatchObject({ ok: true, lines: 3_000, unsealed: 0 });
      } finally {
        await Promise.all(others.map((other) => other.destroy()));
      }
    });

    it('leaves the sealing to whoever is at it', async () => {
      await replica.record(...lines(1));
      await dataSource.transaction(async (tx) => {
        expect(await new SealRepository().lock(tx)).toBe(true);
        expect(await replica.batch.run(10)).toBeUndefined();
        expect(await replica.sealer.seal()).toBe(0);
      });
      expect(await replica.sealer.seal()).toBe(1);
    });

    it('goes on where it stopped when a sealer dies in the middle of a batch', async () => {
      await replica.record(...lines(10));
      await expect(
        dataSource.transaction(async (tx) => {
          const seals = new SealRepository();
          await seals.lock(tx);
          const [line] = await seals.unsealed(tx, 0, 1);
          await seals.seal(tx, { sequence: 0, hash: Buffer.alloc(32) }, [line!.id], [Buffer.alloc(32, 9)]);
          throw new Error('killed');
        }),
      ).rejects.toThrow('killed');
      await replica.sealAll();
      expect(await replica.verifier.verify()).toMatchObject({ ok: true, lines: 10 });
    });

    it('runs by itself, but not in a process that only serves requests', async () => {
      await replica.record(...lines(2));
      await expect(new Replica(dataSource, folder, 'api').tick()).rejects.toThrow('no timer');
      expect(await sealedIds()).toEqual([]);
      await replica.tick();
      expect(await sealedIds()).toEqual([1, 2]);
    });

    it('tries again after a failure', async () => {
      await replica.record(...lines(2));
      await dataSource.query('ALTER TABLE audit_checkpoints RENAME TO elsewhere');
      await replica.tick();
      await dataSource.query('ALTER TABLE elsewhere RENAME TO audit_checkpoints');
      await replica.tick();
      expect(await sealedIds()).toEqual([1, 2]);
    });

    it('seals the last lines and closes with a checkpoint when the process ends', async () => {
      await replica.record(...lines(2));
      await replica.sealAll();
      await replica.record(...lines(3));
      await replica.end();
      expect(await replica.verifier.verify()).toMatchObject({ ok: true, lines: 5, unsealed: 0, checkpoints: 2 });
      const [newest] = (await replica.reader.listCheckpoints(1, undefined)).data;
      expect(newest).toMatchObject({ sequence: 5, lines: 3 });

      await replica.record(...lines(1));
      await replica.tick();
      expect(await sealedIds()).toHaveLength(5);
    });

    it('leaves most of the time to others while a backlog is young', async () => {
      await replica.record(...lines(1_000));
      const { seconds, sealing } = await timeToSeal();
      expect(seconds).toBeGreaterThan(4 * sealing);
    });

    it('stops resting when lines have waited for a minute', async () => {
      await replica.record(...lines(3_000));
      await tamper(`UPDATE audit_log SET at = at - interval '61 seconds'`);
      const { seconds, sealing } = await timeToSeal();
      expect(seconds).toBeLessThan(4 * sealing);
    });

    /** Seconds until all is sealed, and those of them in which the sealer was at work. */
    async function timeToSeal(): Promise<{ seconds: number; sealing: number }> {
      const started = performance.now();
      await replica.sealAll();
      const seconds = (performance.now() - started) / 1_000;
      const [, sum] = /^holdfast_audit_seal_seconds_sum (\S+)$/m.exec(await replica.metrics.render()) ?? [];
      return { seconds, sealing: Number(sum) };
    }

    it('writes a checkpoint per ten thousand lines, to the table and the file, and stays within its time', async () => {
      for (let batch = 0; batch < 20; batch++) await replica.record(...lines(1_000));
      await tamper(`UPDATE audit_log SET at = at - interval '61 seconds'`);
      const { seconds } = await timeToSeal();
      // Measured: 26,000 lines a second. A loaded machine may be slow; one that falls behind is a mistake of ours.
      expect(20_000 / seconds).toBeGreaterThan(1_000);

      const verification = await replica.verifier.verify();
      expect(verification).toMatchObject({ ok: true, lines: 20_000, unsealed: 0, lastSequence: 20_000 });
      expect(verification.checkpoints).toBeGreaterThanOrEqual(2);
      const kept = (await readFile(replica.file.path, 'utf8')).trimEnd().split('\n');
      expect(kept).toHaveLength(verification.checkpoints);
    });
  });

  describe('verifying', () => {
    it('holds for an empty log', async () => {
      expect(await replica.verifier.verify()).toEqual({
        ok: true,
        lines: 0,
        unsealed: 0,
        lastSequence: 0,
        lastHash: null,
        checkpoints: 0,
        firstBadLine: null,
        checkedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      });
    });

    /** Lines 1 to 3, 4 to 6 and 7 to 9, each with a checkpoint; 10 and 11 without. */
    async function threeCheckpoints(): Promise<void> {
      for (let round = 0; round < 3; round++) {
        await replica.record(...lines(3));
        await replica.batch.run(10, true).then((sealed) => replica.file.append(sealed!.checkpoint!));
      }
      await replica.record(...lines(2));
      await replica.batch.run(10);
      expect(await replica.verifier.verify()).toMatchObject({ ok: true, lines: 11, checkpoints: 3 });
    }

    const fields: [string, string][] = [
      ['actor', `'mallory'`],
      ['action', `'nothing.happened'`],
      ['subject', `''`],
      ['request_id', `'req-1'`],
      ['ip', `'203.0.113.7'`],
      ['at', `at + interval '1 microsecond'`],
      ['details', `details || '{"index": 7.0}'`],
      ['hash', `sha256(hash)`],
      ['prev_hash', `sha256(prev_hash)`],
    ];

    it.each(fields)('names a line whose %s was changed', async (field, value) => {
      await threeCheckpoints();
      await tamper(`UPDATE audit_log SET ${field} = ${value} WHERE sequence = 5`);
      const verification = await replica.verifier.verify();
      expect(verification).toMatchObject({ ok: false, lines: 4, lastSequence: 4, firstBadLine: { sequence: 5 } });
    });

    it('names a line that got another id', async () => {
      await threeCheckpoints();
      await tamper(
        'ALTER TABLE audit_log ALTER id SET GENERATED BY DEFAULT',
        'UPDATE audit_log SET id = 100 WHERE sequence = 5',
        'ALTER TABLE audit_log ALTER id SET GENERATED ALWAYS',
      );
      expect((await replica.verifier.verify()).firstBadLine?.sequence).toBe(5);
    });

    it('names a line removed from the middle', async () => {
      await threeCheckpoints();
      await tamper('DELETE FROM audit_log WHERE sequence = 5');
      expect((await replica.verifier.verify()).firstBadLine).toEqual({ sequence: 5, reason: 'The line is missing.' });
    });

    it('names the first line, if that was removed', async () => {
      await threeCheckpoints();
      await tamper('DELETE FROM audit_log WHERE sequence = 1');
      expect((await replica.verifier.verify()).firstBadLine?.sequence).toBe(1);
    });

    it('names the first of two lines that changed places', async () => {
      await threeCheckpoints();
      await tamper(
        'UPDATE audit_log SET sequence = 100 WHERE sequence = 5',
        'UPDATE audit_log SET sequence = 5 WHERE sequence = 6',
        'UPDATE audit_log SET sequence = 6 WHERE sequence = 100',
      );
      expect((await replica.verifier.verify()).firstBadLine?.sequence).toBe(5);
    });

    it('names a forged line put between two others', async () => {
      await threeCheckpoints();
      await tamper(
        'UPDATE audit_log SET sequence = sequence + 100 WHERE sequence >= 5',
        'UPDATE audit_log SET sequence = sequence - 99 WHERE sequence >= 100',
        `INSERT INTO audit_log (actor, action, sequence, prev_hash, hash)
         SELECT 'mallory', 'nothing.happened', 5, hash, sha256(hash) FROM audit_log WHERE sequence = 4`,
      );
      expect((await replica.verifier.verify()).firstBadLine?.sequence).toBe(5);
    });

    it('names a forged line at the end', async () => {
      await threeCheckpoints();
      await tamper(
        `INSERT INTO audit_log (actor, action, sequence, prev_hash, hash)
         SELECT 'mallory', 'nothing.happened', 12, hash, sha256(hash) FROM audit_log WHERE sequence = 11`,
      );
      expect((await replica.verifier.verify()).firstBadLine?.sequence).toBe(12);
    });

    it('names where the tail was cut, by the checkpoints in the table', async () => {
      await threeCheckpoints();
      await tamper('DELETE FROM audit_log WHERE sequence >= 8');
      expect(await replica.verifier.verify()).toMatchObject({
        ok: false,
        lines: 7,
        firstBadLine: { sequence: 8, reason: expect.stringContaining('tail') },
      });
    });

    it('still names it after new lines were sealed behind the cut', async () => {
      await threeCheckpoints();
      await tamper('DELETE FROM audit_log WHERE sequence >= 8');
      await replica.record(...lines(5));
      await replica.sealAll();
      expect((await replica.verifier.verify()).firstBadLine).toEqual({ sequence: 8, reason: 'The line is missing.' });
    });

    /** Lines 1 to 3 with a checkpoint, and 4 to 6 that no checkpoint knows. */
    async function sealedSinceTheCheckpoint(): Promise<void> {
      for (let round = 0; round < 2; round++) {
        await replica.record(...lines(3));
        await replica.sealAll();
      }
      expect(await replica.verifier.verify()).toMatchObject({ ok: true, lines: 6, checkpoints: 1 });
    }

    it('names where lines were cut off before a checkpoint knew them, also in a log where nothing else happens', async () => {
      await sealedSinceTheCheckpoint();
      await tamper('DELETE FROM audit_log WHERE sequence >= 5');
      for (let second = 0; second < 3; second++) await replica.tick();
      expect((await replica.verifier.verify()).firstBadLine).toEqual({ sequence: 5, reason: 'The line is missing.' });
      const { data } = await replica.reader.list(query({ action: 'audit_log.cut' }));
      expect(data).toMatchObject([{ sequence: 7, actor: 'system:audit', details: { found: 4, expected: 6 } }]);
    });

    it('names them as well when all is cut off that was ever sealed', async () => {
      await sealedSinceTheCheckpoint();
      await tamper('TRUNCATE audit_log', 'TRUNCATE audit_checkpoints');
      await rm(replica.file.path);
      await replica.tick();
      expect((await replica.verifier.verify()).firstBadLine?.sequence).toBe(1);
    });

    it('names them when another process has seen them', async () => {
      const witness = new Replica(dataSource, join(folder, 'witness'));
      await sealedSinceTheCheckpoint();
      await witness.tick();
      await tamper('DELETE FROM audit_log WHERE sequence >= 5');
      await replica.record(...lines(1));
      await witness.tick();
      expect((await witness.verifier.verify()).firstBadLine?.sequence).toBe(5);
    });

    it('names the first line after, when others have filled the places meanwhile', async () => {
      await sealedSinceTheCheckpoint();
      await tamper('DELETE FROM audit_log WHERE sequence >= 5');
      const restarted = new Replica(dataSource, folder);
      await restarted.record(...lines(4));
      await restarted.sealAll();
      expect(await restarted.verifier.verify()).toMatchObject({ ok: true, lines: 8 });
      await replica.tick();
      expect((await restarted.verifier.verify()).firstBadLine).toEqual({
        sequence: 9,
        reason: expect.stringContaining('does not follow'),
      });
    });

    it('names where the tail was cut together with its checkpoints, by the file', async () => {
      await threeCheckpoints();
      await tamper('DELETE FROM audit_log WHERE sequence >= 7', 'DELETE FROM audit_checkpoints WHERE sequence >= 7');
      const elsewhere = new Replica(dataSource, join(folder, 'elsewhere'));
      expect((await elsewhere.verifier.verify()).ok).toBe(true);

      // Whoever was there when they were sealed is not any more.
      const restarted = new Replica(dataSource, folder);
      await restarted.record(...lines(5));
      await restarted.sealAll();
      expect((await restarted.verifier.verify()).firstBadLine).toEqual({
        sequence: 7,
        reason: expect.stringContaining(replica.file.path),
      });
    });

    it('holds a log that is gone altogether against the file', async () => {
      await threeCheckpoints();
      await tamper('TRUNCATE audit_log', 'TRUNCATE audit_checkpoints');
      expect(await replica.verifier.verify()).toMatchObject({ ok: false, lines: 0, firstBadLine: { sequence: 1 } });
    });

    it('names the lines of a checkpoint when they were changed and the chain made anew', async () => {
      await threeCheckpoints();
      await tamper(
        `UPDATE audit_log SET actor = 'mallory' WHERE sequence = 5`,
        'UPDATE audit_log SET sequence = NULL, prev_hash = NULL, hash = NULL WHERE sequence >= 5',
        // The sealer's own rules, applied by whoever knows them: only the signatures cannot be made anew.
        'CREATE TABLE kept AS TABLE audit_checkpoints',
        'TRUNCATE audit_checkpoints',
      );
      await new Replica(dataSource, folder).batch.run(10);
      await tamper('TRUNCATE audit_checkpoints', 'INSERT INTO audit_checkpoints TABLE kept', 'DROP TABLE kept');
      expect((await replica.verifier.verify()).firstBadLine).toEqual({
        sequence: 4,
        reason: expect.stringContaining('chained anew'),
      });
    });

    it('names the first line of all that the chain and the file find', async () => {
      await threeCheckpoints();
      await tamper('DELETE FROM audit_log WHERE sequence = 10', 'TRUNCATE audit_checkpoints');
      expect((await replica.verifier.verify()).firstBadLine?.sequence).toBe(1);
    });

    it('holds a removed or changed checkpoint against the log', async () => {
      await threeCheckpoints();
      await rm(replica.file.path);
      await tamper('DELETE FROM audit_checkpoints WHERE sequence = 6');
      expect((await replica.verifier.verify()).firstBadLine?.reason).toContain('checkpoint among them is missing');
      await tamper('UPDATE audit_checkpoints SET merkle_root = sha256(merkle_root)');
      expect((await replica.verifier.verify()).firstBadLine?.reason).toContain('invalid');
    });

    it('says when the checkpoints were signed with another encryption key', async () => {
      await threeCheckpoints();
      const rekeyed = new Replica(dataSource, folder, 'all', Buffer.alloc(32, 2));
      expect((await rekeyed.verifier.verify()).firstBadLine?.reason).toContain('of another key');
    });

    it('holds a forged checkpoint in the file against it', async () => {
      await threeCheckpoints();
      const kept = await readFile(replica.file.path, 'utf8');
      const forged = kept.replace(/"signature":"(.)/, (_, digit) => `"signature":"${digit === '0' ? '1' : '0'}`);
      await writeFile(replica.file.path, forged);
      const verification = await replica.verifier.verify();
      expect(verification.firstBadLine).toEqual({ sequence: 1, reason: expect.stringContaining('does not hold') });
    });

    it('goes on while lines are being sealed', async () => {
      await replica.record(...lines(3_000));
      await replica.sealAll();
      const sealing = (async () => {
        for (let round = 0; round < 10; round++) {
          await replica.record(...lines(100));
          await replica.batch.run(500, true);
        }
      })();
      const verifications = await Promise.all(
        Array.from({ length: 3 }, () => new Replica(dataSource, join(folder, 'none')).verifier.verify()),
      );
      await sealing;
      for (const verification of verifications) expect(verification).toMatchObject({ ok: true, firstBadLine: null });
    });

    it('sees through a restart of the chain of replicas: the file of each holds only what it wrote', async () => {
      const other = new Replica(dataSource, join(folder, 'other'));
      await replica.record(...lines(2));
      await replica.sealer.onApplicationShutdown();
      await other.record(...lines(2));
      await other.sealer.onApplicationShutdown();
      expect(await replica.verifier.verify()).toMatchObject({ ok: true, checkpoints: 2 });
      expect(await other.verifier.verify()).toMatchObject({ ok: true, checkpoints: 2 });
    });
  });

  describe('listing', () => {
    it('shows the newest first, sealed or not, page by page', async () => {
      await replica.record(...lines(5));
      await replica.sealAll();
      await replica.record(...lines(3));
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await replica.reader.list(query({ limit: 3, ...(cursor !== undefined && { cursor }) }));
        ids.push(...page.data.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(ids).toEqual(['8', '7', '6', '5', '4', '3', '2', '1']);
    });

    it('shows every field', async () => {
      await replica.record({
        actor: 'api-key:1',
        action: 'webhook_source.created',
        subject: 'webhook-source:stripe',
        requestId: 'req-12345678',
        ip: '203.0.113.7',
        details: { provider: 'stripe' },
      });
      const shown = {
        id: '1',
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        actor: 'api-key:1',
        action: 'webhook_source.created',
        subject: 'webhook-source:stripe',
        requestId: 'req-12345678',
        ip: '203.0.113.7',
        details: { provider: 'stripe' },
      };
      const unsealed = { sequence: null, prevHash: null, hash: null };
      expect((await replica.reader.list(query())).data).toEqual([{ ...shown, ...unsealed }]);
      await replica.sealAll();
      const sealed = { sequence: 1, prevHash: '0'.repeat(64), hash: expect.stringMatching(/^[0-9a-f]{64}$/) };
      expect((await replica.reader.list(query())).data).toEqual([{ ...shown, ...sealed }]);
    });

    it('narrows by actor, action and subject together', async () => {
      const record = () =>
        replica.record(
          { actor: 'api-key:1', action: 'a.done', subject: 'x:1' },
          { actor: 'api-key:1', action: 'b.done', subject: 'x:1' },
          { actor: 'api-key:2', action: 'a.done', subject: 'x:2' },
        );
      await record();
      await replica.sealAll();
      await record();
      const found = async (filter: Partial<ListAuditQueryDto>) =>
        (await replica.reader.list(query(filter))).data.map(({ id }) => Number(id));
      expect(await found({ actor: 'api-key:1' })).toEqual([5, 4, 2, 1]);
      expect(await found({ action: 'a.done' })).toEqual([6, 4, 3, 1]);
      expect(await found({ subject: 'x:2' })).toEqual([6, 3]);
      expect(await found({ actor: 'api-key:1', action: 'a.done', subject: 'x:1' })).toEqual([4, 1]);
      expect(await found({ actor: `api-key:1' OR true --` })).toEqual([]);
    });

    it('narrows by time, from inclusive, to exclusive, also where ids have gaps', async () => {
      await replica.record(...lines(300));
      await tamper(
        `UPDATE audit_log SET at = timestamptz '2026-01-01T00:00:00Z' + id * interval '1 minute'`,
        'DELETE FROM audit_log WHERE id % 7 IN (1, 2, 3)',
      );
      const found = async (from?: string, to?: string) =>
        (await replica.reader.list(query({ limit: 200, ...(from && { from }), ...(to && { to }) }))).data.map(
          ({ id }) => Number(id),
        );
      const kept = Array.from({ length: 300 }, (_, index) => 300 - index).filter((id) => ![1, 2, 3].includes(id % 7));
      const minute = (id: number) => new Date(Date.UTC(2026, 0, 1, 0, id)).toISOString();
      for (const [from, to] of [
        [7, 11],
        [100, 200],
        [1, 2],
        [-5, 0],
        [400, 500],
        [200, 301],
        [11, 11],
      ] as const) {
        const expected = kept.filter((id) => id >= from && id < to);
        expect({ from, to, found: await found(minute(from), minute(to)) }).toEqual({ from, to, found: expected });
      }
      expect(await found(minute(290))).toEqual(kept.filter((id) => id >= 290));
      expect(await found(undefined, minute(10))).toEqual(kept.filter((id) => id < 10));
    });

    it('shows the checkpoints newest first, page by page', async () => {
      for (let round = 0; round < 3; round++) {
        await replica.record(...lines(2));
        await replica.batch.run(10, true);
      }
      const first = await replica.reader.listCheckpoints(2, undefined);
      expect(first.data.map(({ sequence }) => sequence)).toEqual([6, 4]);
      const second = await replica.reader.listCheckpoints(2, first.nextCursor ?? undefined);
      expect(second.data.map(({ sequence }) => sequence)).toEqual([2]);
      expect(second.nextCursor).toBeNull();
    });

    it('refuses a cursor of another list', async () => {
      for (let round = 0; round < 2; round++) {
        await replica.record(...lines(2));
        await replica.batch.run(10, true);
      }
      const { nextCursor } = await replica.reader.listCheckpoints(1, undefined);
      await expect(replica.reader.list(query({ cursor: nextCursor! }))).rejects.toThrow(ValidationError);
    });
  });
});
