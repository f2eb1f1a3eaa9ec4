import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JsonLogger } from '../../logging/index.js';
import { addressOf, describeMailer, MAIL } from '../mailer.contract.js';
import { FileMailer } from './file-mailer.js';

const FROM = { name: 'Example, Inc.', address: addressOf('no-reply@example.org') };
const LINK = 'http://127.0.0.1:3000/verify?token=hf_abcdefghijklmnopqrstuvwxyz&for=anna@example.com';

let parent: string;
let folder: string;
let log: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'holdfast-mail-'));
  folder = join(parent, 'data', 'mail');
  log = '';
  Logger.overrideLogger(new JsonLogger('trace', { write: (line: string) => (log += line) }));
});

afterEach(() => {
  Logger.overrideLogger(false);
  rmSync(parent, { recursive: true });
});

describeMailer('FileMailer', async (mail, messageId, use) => {
  const mailer = new FileMailer(folder, FROM, false);
  await (use ? use(mailer) : mailer.deliver(mail, messageId));
  return readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'utf8');
});

describe('FileMailer', () => {
  const deliver = (isProduction: boolean) =>
    new FileMailer(folder, FROM, isProduction).deliver({ ...MAIL, link: LINK }, '<0199f6c2-1@example.org>');

  it('writes one file a mail, for its owner only, whose name has time, kind and id', async () => {
    await deliver(false);
    const files = readdirSync(folder);
    expect(files).toEqual([expect.stringMatching(/^\d{8}T\d{9}Z-verification-0199f6c2-1\.eml$/)]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, files[0] ?? '')).mode & 0o777).toBe(0o600);
  });

  it('takes the folder away from others who could read it', async () => {
    await deliver(false);
    chmodSync(folder, 0o755);
    await deliver(false);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('logs one line with the link as it is to be opened, and no address', async () => {
    await deliver(false);
    expect(
      log
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      expect.objectContaining({
        level: 'info',
        msg: 'Mail written to a file; set SMTP_URL to send it',
        file: join(folder, readdirSync(folder)[0] ?? ''),
        kind: 'verification',
        link: LINK,
      }),
    ]);
    expect(log).not.toContain(MAIL.to);
  });

  it('logs no link in production', async () => {
    await deliver(true);
    expect(log).toContain('"kind":"verification"');
    expect(log).not.toMatch(/"link"|hf_abcdef|anna/);
  });

  it('leaves nothing half written when it fails', async () => {
    await deliver(false);
    chmodSync(folder, 0o755);
    const mailer = new FileMailer(join(parent, 'data', 'mail', readdirSync(folder)[0] ?? ''), FROM, false);
    await expect(mailer.deliver(MAIL, '<2@example.org>')).rejects.toThrow(/EEXIST|ENOTDIR/);
    expect(readdirSync(folder)).toHaveLength(1);
  });
});
