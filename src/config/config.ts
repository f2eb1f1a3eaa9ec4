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
  readonly role: Environment['ROLE'];
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

/**
 * Validates the environment and fills in the defaults. Outside production a missing `ENCRYPTION_KEY` is made once and
 * kept in `DATA_DIR`, so that the first start needs nothing.
 *
 * @throws ConfigError naming every bad variable at once
 */
export function loadConfig(environment: NodeJS.ProcessEnv): Config {
  const parsed = environmentSchema.safeParse(environment);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ...missingInProduction(environment),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const values = parsed.data;
  const isProduction = values.NODE_ENV === 'production';

  const dataDir = resolve(values.DATA_DIR);
  return Object.freeze({
    ...values,
    dataDir,
    encryptionKey: values.ENCRYPTION_KEY ? Buffer.from(values.ENCRYPTION_KEY, 'hex') : developmentKey(dataDir),
    role: values.ROLE,
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

/** Looks at the environment itself: what is missing is to be named together with what is wrong. */
function missingInProduction(environment: NodeJS.ProcessEnv): string[] {
  if (environment['NODE_ENV'] !== 'production') return [];
  const problems: string[] = [];
  if (!environment['DATABASE_URL']?.trim()) {
    problems.push('DATABASE_URL: the embedded database is for development; production needs a PostgreSQL of its own.');
  }
  if (!environment['ENCRYPTION_KEY']?.trim()) {
    problems.push('ENCRYPTION_KEY: production needs one; make it with: openssl rand -hex 32');
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

function developmentKey(dataDir: string): Buffer {
  const path = join(dataDir, 'encryption.key');
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
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
  if (key.length !== 32) {
    throw new ConfigError([`ENCRYPTION_KEY: ${path} does not hold 64 hex digits; restore it or set ENCRYPTION_KEY.`]);
  }
  return key;
}
