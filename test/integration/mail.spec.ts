import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MAIL_TIMINGS, type Mail, MailModule, MailOutbox, type MailTimings } from '../../src/platform/mail/index.js';
import { SmtpMailer } from '../../src/platform/mail/adapters/smtp-mailer.js';
import { addressOf, describeMailer, MAIL, parseMail } from '../../src/platform/mail/mailer.contract.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { JobProcess, recordLog } from '../support/job-process.js';
import { ScriptedSmtp, type SmtpRefusals, TestSmtp } from '../support/smtp.js';
import { sql } from '../support/sql.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';

interface JobRow {
  id: string;
  state: string;
  payload: Buffer | null;
  attempts: number;
  error: string | null;
}

/** Milliseconds: as in production, only shorter. */
const TIMINGS: MailTimings = { silence: 2000, attempt: 10_000, backoff: { baseMs: 10, capMs: 20 } };
const MAIL_FROM = 'Example, Inc. <no-reply@example.org>';
const SENT = 'holdfast_mails_total';

let database: TestDatabase;
let dataDir: string;
let log: ReturnType<typeof recordLog>;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeTempFolder('mail');
});

afterAll(async () => {
  await database?.drop();
  removeTempFolder(dataDir);
});

beforeEach(async () => {
  log = recordLog();
  await sql(database.url, 'TRUNCATE jobs');
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function startSmtp(...options: Parameters<typeof TestSmtp.start>): Promise<TestSmtp> {
  const server = await TestSmtp.start(...options);
  cleanUps.push(() => server.stop());
  return server;
}

async function startScripted(answer: (line: string | null) => string | undefined): Promise<ScriptedSmtp> {
  const server = await ScriptedSmtp.start(answer);
  cleanUps.push(() => server.stop());
  return server;
}

async function startSender(env: Record<string, string>, timings: Partial<MailTimings> = {}): Promise<JobProcess> {
  const sender = await JobProcess.start(database.url, undefined, {
    env: { MAIL_FROM, PUBLIC_URL: 'https://pay.example', DATA_DIR: dataDir, ...env },
    modules: [MailModule],
    overrides: [{ token: MAIL_TIMINGS, value: { ...TIMINGS, ...timings } }],
  });
  cleanUps.push(() => sender.stop());
  return sender;
}

function send(sender: JobProcess, mails: readonly Mail[], expiresInMs?: number): Promise<void> {
  const options = expiresInMs === undefined ? {} : { expiresInMs };
  return sender.get(Transactor).run((tx) => sender.get(MailOutbox).send(tx, mails, options));
}

function rows(): Promise<JobRow[]> {
  return sql<JobRow & Record<string, unknown>>(database.url, 'SELECT * FROM jobs');
}

async function onlyRow(): Promise<JobRow> {
  const [row, ...more] = await rows();
  if (!row || more.length > 0) throw new Error('There is not exactly one job');
  return row;
}

const allSent = () => waitFor(async () => (await rows()).length === 0, { what: 'no mail is left' });

describeMailer('SmtpMailer', async (mail, messageId, use) => {
  const server = await startSmtp();
  const mailer = new SmtpMailer(
    server.url,
    { name: 'Example, Inc.', address: addressOf('no-reply@example.org') },
    2000,
  );
  try {
    await (use ? use(mailer) : mailer.deliver(mail, messageId));
  } finally {
    mailer.onApplicationShutdown();
  }
  return server.received[0]?.source ?? '';
});

describe('a mail', () => {
  it('is delivered once, from and to whom it says, under an id made from its job', async () => {
    const server = await startSmtp();
    const sender = await startSender({ SMTP_URL: server.url });
    let id = '';
    await sender.get(Transactor).run(async (tx) => {
      await sender.get(MailOutbox).send(tx, [MAIL]);
      [{ id }] = await tx.query<[{ id: string }]>('SELECT id FROM jobs');
    });
    await allSent();
    expect(server.received).toEqual([{ from: 'no-reply@example.org', to: [MAIL.to], source: expect.any(String) }]);
    expect(parseMail(server.received[0]?.source ?? '').headers['message-id']).toBe(`<${id}@example.org>`);
    expect(await sender.count(SENT, { kind: 'verification', outcome: 'sent' })).toBe(1);
  });

  it('of a transaction that was rolled back is never sent', async () => {
    const server = await startSmtp();
    const sender = await startSender({ SMTP_URL: server.url });
    const rolledBack = sender.get(Transactor).run(async (tx) => {
      await sender.get(MailOutbox).send(tx, [MAIL]);
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    await send(sender, [{ ...MAIL, subject: 'after' }]);
    await allSent();
    expect(server.received.map(({ source }) => parseMail(source).headers['subject'])).toEqual(['after']);
  });

  it('is one of many over few connections, each delivered once', async () => {
    const server = await startSmtp();
    const sender = await startSender({ SMTP_URL: server.url });
    const to = Array.from({ length: 30 }, (_, n) => addressOf(`reader${n}@example.com`));
    await send(
      sender,
      to.map((address) => ({ ...MAIL, to: address })),
    );
    await allSent();
    expect(server.received.map((mail) => mail.to.join()).toSorted()).toEqual(to.toSorted());
  });

  it('can be read by nobody in the database', async () => {
    const sender = await startSender(
      { SMTP_URL: `smtp://127.0.0.1:${await freePort()}` },
      { backoff: { baseMs: 60_000, capMs: 60_000 } },
    );
    await send(sender, [{ ...MAIL, link: 'https://app.example.com/verify?token=abc' }]);
    await waitFor(async () => (await onlyRow()).attempts === 1);
    const [row] = await sql<{ whole: string }>(
      database.url,
      `SELECT jobs::text || encode(payload, 'escape') AS whole FROM jobs`,
    );
    expect(row?.whole).not.toMatch(/anna|verify|token|Hallo/i);
  });

  it('logs in with what the URL says', async () => {
    const server = await startSmtp({}, { authOptional: false, allowInsecureAuth: true });
    const sender = await startSender({ SMTP_URL: `smtp://me%40example.org:right@127.0.0.1:${server.port}` });
    await send(sender, [MAIL]);
    await allSent();
    expect(server.logins).toEqual(['me@example.org:right']);
    expect(server.received).toHaveLength(1);
  });
});

describe('a mail server', () => {
  it.each<[string, SmtpRefusals]>([
    ['the recipient', { onRecipient: (attempt) => (attempt < 3 ? '451 4.7.1 greylisted, come back' : undefined) }],
    ['the message', { onData: (attempt) => (attempt < 3 ? '452 4.3.1 disk full' : undefined) }],
  ])('that refuses %s with 4xx is asked again until it takes the mail, once', async (_, refusals) => {
    const server = await startSmtp(refusals);
    const sender = await startSender({ SMTP_URL: server.url });
    await send(sender, [MAIL]);
    await allSent();
    expect(server.received).toHaveLength(1);
    expect(await sender.count(SENT, { kind: 'verification', outcome: 'failed' })).toBe(2);
  });

  it.each<[string, SmtpRefusals]>([
    ['the recipient', { onRecipient: () => `550 5.1.1 <${MAIL.to}>: no such user` }],
    ['the message', { onData: () => '554 5.7.1 https://app.example.com/verify?token=abcdef is spam' }],
  ])('that refuses %s with 5xx is not asked again', async (_, refusals) => {
    const server = await startSmtp(refusals);
    const sender = await startSender({ SMTP_URL: server.url });
    await send(sender, [MAIL]);
    await waitFor(async () => (await onlyRow()).state === 'GIVEN_UP');
    expect(await onlyRow()).toMatchObject({ attempts: 1, payload: null, error: expect.stringMatching(/55[04]/) });
    expect(await sender.count(SENT, { kind: 'verification', outcome: 'refused' })).toBe(1);
    expect(server.recipients).toBe(1);
    await waitFor(() => log.text().includes('A job was given up'));
    expect((await onlyRow()).error + log.text()).not.toMatch(/anna|abcdef/);
  });

  it('that wants us to log in first (530) is asked again: so is the operator', async () => {
    const server = await startSmtp({ onRecipient: () => '530 5.7.0 authentication required' });
    const sender = await startSender({ SMTP_URL: server.url });
    await send(sender, [MAIL]);
    await waitFor(async () => (await onlyRow()).attempts >= 2);
    expect((await onlyRow()).payload).not.toBeNull();
  });

  it('that does not know us (535) is asked again: the mail is not to blame', async () => {
    const server = await startSmtp({}, { allowInsecureAuth: true });
    const sender = await startSender({ SMTP_URL: `smtp://me:wrong@127.0.0.1:${server.port}` });
    await send(sender, [MAIL]);
    await waitFor(async () => (await onlyRow()).attempts >= 2);
    expect(await onlyRow()).toMatchObject({ error: expect.stringContaining('535') });
    expect(log.text()).not.toContain('wrong');
  });

  it.each([
    ['does not greet', () => undefined],
    ['says that it is busy in its greeting', () => '421 4.3.2 too busy'],
    ['wants nothing of us in its greeting', () => '554 5.3.2 no service'],
    [
      'falls silent at DATA',
      (line: string | null) => {
        if (line === null) return '220 here';
        return line === 'DATA' ? undefined : '250 fine';
      },
    ],
    [
      'falls silent after the message',
      (line: string | null) => {
        if (line === null) return '220 here';
        if (line === 'DATA') return '354 go ahead';
        return /^(?:EHLO|MAIL|RCPT)/.test(line) ? '250 fine' : undefined;
      },
    ],
  ])('that %s holds the mail up for its time and costs none of it', async (_, answer) => {
    const server = await startScripted(answer);
    const sender = await startSender({ SMTP_URL: server.url }, { silence: 200, attempt: 60_000 });
    await send(sender, [MAIL]);
    await waitFor(async () => (await onlyRow()).attempts >= 2 && server.connections >= 2);
    expect((await onlyRow()).payload).not.toBeNull();
  });

  it('that goes on and on is left when the attempt has had its time', async () => {
    const server = await startScripted((line) => (line === null ? '220 here' : '250-not yet done'));
    const talking = setInterval(() => server.say('250-still not'), 20);
    cleanUps.push(async () => clearInterval(talking));
    const sender = await startSender({ SMTP_URL: server.url }, { silence: 5000, attempt: 400 });
    await send(sender, [MAIL]);
    await waitFor(async () => (await onlyRow()).attempts >= 2);
    expect((await onlyRow()).error).toContain('JobTimeoutError');
  });

  it('that was not there takes the mail once it is', async () => {
    const port = await freePort();
    const sender = await startSender({ SMTP_URL: `smtp://127.0.0.1:${port}` });
    await send(sender, [MAIL]);
    await waitFor(async () => (await onlyRow()).attempts >= 2);
    const server = await startSmtp({}, {}, port);
    await allSent();
    expect(server.received).toHaveLength(1);
  });

  it('that stays away costs the mail once it expires', async () => {
    const sender = await startSender({ SMTP_URL: `smtp://127.0.0.1:${await freePort()}` });
    await send(sender, [MAIL], 60_000);
    await waitFor(async () => (await onlyRow()).attempts >= 1);
    await sql(database.url, 'UPDATE jobs SET expires_at = now()');
    await waitFor(async () => (await onlyRow()).state === 'GIVEN_UP');
    expect(await onlyRow()).toMatchObject({ payload: null, error: expect.stringMatching(/expired.*ECONNREFUSED/) });
  });
});

describe('without SMTP_URL', () => {
  const folder = () => join(dataDir, 'mail');

  it('a mail becomes a file, and one line of the log says where, with the link', async () => {
    const sender = await startSender({});
    const link = 'http://127.0.0.1:3000/verify?token=hf_abcdefghijklmnopqrstuvwxyz';
    await send(sender, [{ ...MAIL, link }]);
    await allSent();
    const [file = '', ...more] = readdirSync(folder());
    expect(more).toEqual([]);
    expect(parseMail(readFileSync(join(folder(), file), 'utf8')).headers['to']).toBe(MAIL.to);
    expect(log.lines.filter(({ msg }) => String(msg).startsWith('Mail written'))).toEqual([
      expect.objectContaining({ file: join(folder(), file), kind: 'verification', link }),
    ]);
    expect(log.text()).not.toContain(MAIL.to);
  });

  const warnings = () => log.lines.filter(({ level, msg }) => level === 'warn' && String(msg).includes('SMTP_URL'));
  const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://127.0.0.1/holdfast' };

  it('production is warned at start, once', async () => {
    await startSender(production);
    expect(warnings()).toEqual([expect.objectContaining({ folder: folder() })]);
  });

  it.each<[string, Record<string, string>]>([
    ['with a mail server', { ...production, SMTP_URL: 'smtp://127.0.0.1:1' }],
    ['outside production', {}],
  ])('nobody is warned %s', async (_, env) => {
    await startSender(env);
    expect(warnings()).toEqual([]);
  });
});
