import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Environment, environmentSchema } from './config.schema.js';

/** Injection token of the one `Config`. */
export const CONFIG = Symbol('CONFIG');

/** The secrets of the sources that exist from the start, by provider. */
export type EnvironmentSecrets = Readonly<Partial<Record<string, string>>>;

/** Read once at start, immutable, the only way to any setting. */
export interface Config extends Readonly<Environment> {
  /** Absolute. */
  readonly dataDir: string;
  /** 32 bytes; secrets at rest are sealed with keys derived from it. */
  readonly encryptionKey: Buffer;
  /** At least 32 bytes; access tokens of end users are signed with it (HS256). */
  readonly jwtSecret: Buffer;
  readonly role: Environment['ROLE'];
  /** Where limits are counted. */
  readonly rateLimitStore: NonNullable<Environment['RATE_LIMIT_STORE']>;
  readonly isProduction: boolean;
  readonly webhookSecrets: EnvironmentSecrets;
}

/** The environment cannot be used. `problems` are whole sentences naming a variable and how to mend it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(['The configuration is not valid:', ...problems].join(problems.length === 1 ? ' ' : '\n  - '));
  }
}

/** What production must be given; outside it, where in `DATA_DIR` the one made at the first start is kept. */
const SECRET_FILES = { ENCRYPTION_KEY: 'encryption.key', JWT_SECRET: 'jwt.key' } as const;

/**
 * Validates the environment and fills in the defaults. Outside production a missing `ENCRYPTION_KEY` or
 * `JWT_SECRET` is made once and kept in `DATA_DIR`, so that the first start needs nothing.
 *
 * @throws ConfigError naming every bad variable at once
 */
export function loadConfig(environment: NodeJS.ProcessEnv): Config {
  const parsed = environmentSchema.safeParse(environment);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ...missingInProduction(environment),
    ...(parsed.success ? contradictions(parsed.data) : []),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const values = parsed.data;
  const isProduction = values.NODE_ENV === 'production';

  const dataDir = resolve(values.DATA_DIR);
  return Object.freeze({
    ...values,
    dataDir,
    encryptionKey: Buffer.from(values.ENCRYPTION_KEY ?? developmentSecret(dataDir, 'ENCRYPTION_KEY'), 'hex'),
    jwtSecret: Buffer.from(values.JWT_SECRET ?? developmentSecret(dataDir, 'JWT_SECRET'), 'utf8'),
    role: values.ROLE,
    rateLimitStore: rateLimitStore(values),
    isProduction,
    webhookSecrets: Object.freeze({
      stripe: values.STRIPE_WEBHOOK_SECRET,
      paystack: values.PAYSTACK_SECRET_KEY,
      gorgias: values.GORGIAS_WEBHOOK_SECRET,
      shopify: values.SHOPIFY_WEBHOOK_SECRET,
      github: values.GITHUB_WEBHOOK_SECRET,
      standard: values.STANDARD_WEBHOOK_SECRET,
      hmac: values.HMAC_WEBHOOK_SECRET,
    }),
  });
}

/** What is right by itself and wrong together. */
function contradictions(values: Environment): string[] {
  const { RATE_LIMIT_STORE, REDIS_URL, REPLICAS, RATE_LIMIT_WINDOW_MS, RATE_LIMIT_MAX_REQUESTS } = values;
  const problems: string[] = [];
  if (RATE_LIMIT_STORE === 'redis' && REDIS_URL.length === 0) {
    problems.push('RATE_LIMIT_STORE: redis needs a REDIS_URL.');
  }
  if (RATE_LIMIT_STORE === 'memory' && REPLICAS > 1) {
    problems.push(`RATE_LIMIT_STORE: memory is for one server; with REPLICAS=${REPLICAS} use redis or postgres.`);
  }
  if (RATE_LIMIT_WINDOW_MS !== undefined && RATE_LIMIT_MAX_REQUESTS === undefined) {
    problems.push('RATE_LIMIT_MAX_REQUESTS: set it together with RATE_LIMIT_WINDOW_MS: so many requests in a window.');
  }
  if (RATE_LIMIT_WINDOW_MS === undefined && RATE_LIMIT_MAX_REQUESTS !== undefined) {
    problems.push(
      'RATE_LIMIT_WINDOW_MS: set it together with RATE_LIMIT_MAX_REQUESTS: the milliseconds of its window.',
    );
  }
  return problems;
}

function rateLimitStore({ RATE_LIMIT_STORE, REDIS_URL, REPLICAS }: Environment): Config['rateLimitStore'] {
  if (RATE_LIMIT_STORE !== undefined) return RATE_LIMIT_STORE;
  if (REDIS_URL.length > 0) return 'redis';
  return REPLICAS > 1 ? 'postgres' : 'memory';
}

/** Looks at the environment itself: what is missing is to be named together with what is wrong. */
function missingInProduction(environment: NodeJS.ProcessEnv): string[] {
  if (environment['NODE_ENV'] !== 'production') return [];
  const problems: string[] = [];
  if (!environment['DATABASE_URL']?.trim()) {
    problems.push('DATABASE_URL: the embedded database is for development; production needs a PostgreSQL of its own.');
  }
  for (const variable of Object.keys(SECRET_FILES)) {
    if (environment[variable]?.trim()) continue;
    problems.push(`${variable}: production needs one; make it with: openssl rand -hex 32`);
  }
  if (
    environment['SMTP_URL']?.trim() &&
    !environment['PUBLIC_URL']?.trim() &&
    !environment['ACCOUNT_PAGES_URL']?.trim()
  ) {
    problems.push(
      'PUBLIC_URL: with SMTP_URL production needs it, or ACCOUNT_PAGES_URL: mails have links to one of them.',
    );
  }
  if (environment['SMTP_URL']?.trim() && !environment['MAIL_FROM']?.trim()) {
    problems.push('MAIL_FROM: with SMTP_URL production needs a sender whose mail is not taken for spam.');
  }
  return problems;
}

/** Of two first starts at once one link succeeds, and the file is never seen empty or half written. */
function createWhole(path: string, content: string): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } finally {
    unlinkSync(draft);
  }
}

/** @returns 64 hex digits, the same at every start */
function developmentSecret(dataDir: string, variable: keyof typeof SECRET_FILES): string {
  const path = join(dataDir, SECRET_FILES[variable]);
  try {
    if (!existsSync(path)) {
      mkdirSync(dataDir, { recursive: true });
      createWhole(path, randomBytes(32).toString('hex'));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new ConfigError([
        `DATA_DIR: cannot write to ${dataDir} (${(error as Error).message}). Make it writable or set DATA_DIR to a folder that is.`,
      ]);
    }
  }
  const secret = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-fA-F]{64}$/.test(secret)) {
    throw new ConfigError([`${variable}: ${path} does not hold 64 hex digits; restore it or set ${variable}.`]);
  }
  return secret;
}
