import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { AddressList } from '../kernel/address-list.js';
import { parseMailbox } from '../kernel/mailbox.js';

const MEBIBYTE = 1024 * 1024;

/** Blank counts as absent: `FOO=` in an env file means "use the default". */
const blankIsAbsent = (value: unknown) => (typeof value === 'string' && value.trim() === '' ? undefined : value);
const optional = <T extends z.ZodType>(type: T) => z.preprocess(blankIsAbsent, type.optional());
const wholeNumber = (min: number, max: number, error = `must be a whole number from ${min} to ${max}`) => {
  const isInRange = (value: number) => Number.isInteger(value) && value >= min && value <= max;
  return z.coerce.number({ error }).refine(isInRange, { error });
};
const integer = (min: number, max: number, fallback: number, error?: string) =>
  z.preprocess(blankIsAbsent, wholeNumber(min, max, error).default(fallback));
const boolean = (fallback: boolean) =>
  z
    .preprocess(
      blankIsAbsent,
      z.enum(['true', 'false'], { error: 'must be true or false' }).default(fallback ? 'true' : 'false'),
    )
    .transform((text) => text === 'true');
const MAX_PROCESSES = 64;
const processes = z.preprocess(
  (value) => (value === 'auto' ? Math.min(availableParallelism(), MAX_PROCESSES) : value),
  integer(1, MAX_PROCESSES, 1, `must be "auto" or a whole number from 1 to ${MAX_PROCESSES}`),
);
const list = z.preprocess(blankIsAbsent, z.string().default('')).transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const addressRanges = list.superRefine((addresses, context) => {
  for (const address of addresses) {
    try {
      AddressList.parse([address]);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  }
});
/** An origin is compared letter by letter with what browsers send: it must be written the way they write it. */
const origins = list.superRefine((texts, context) => {
  for (const text of texts) {
    const message = faultOfOrigin(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  }
});
function faultOfOrigin(text: string): string | undefined {
  if (text.includes('*')) return `"${text}" is refused: name each origin that may call, such as https://app.example`;
  const example = 'no origin such as https://app.example or http://localhost:5173';
  if (!isUrl(text, ['http:', 'https:'])) return `"${text}" is ${example}`;
  const { origin, username } = new URL(text);
  if (origin === text) return undefined;
  return username === '' ? `"${text}" is ${example}; did you mean ${origin}?` : `"${text}" is ${example}`;
}
const isUrl = (text: string, protocols: readonly string[]) =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol);
/** Paths can be appended to it. */
function isPlainUrl(text: string | undefined): boolean {
  if (text === undefined || !URL.canParse(text)) return true;
  const { search, hash, username, password } = new URL(text);
  return search + hash + username + password === '' && !text.endsWith('?') && !text.endsWith('#');
}
function isOrigin(text: string | undefined): boolean {
  return text === undefined || !URL.canParse(text) || text.replace(/\/$/, '') === new URL(text).origin;
}
const startingWith = (protocols: readonly string[]) => protocols.map((protocol) => `${protocol}//`).join(' or ');
const url = (...protocols: string[]) =>
  optional(
    z.string().refine((text) => isUrl(text, protocols), {
      error: `must be a URL starting with ${startingWith(protocols)}`,
    }),
  );
/** Where a provider's API is; our paths are appended. */
const apiBase = (fallback: string) =>
  z.preprocess(
    blankIsAbsent,
    z
      .string()
      .default(fallback)
      .refine((text) => isUrl(text, ['http:', 'https:']), {
        error: `must be a URL starting with ${startingWith(['http:', 'https:'])}`,
      })
      .refine(isPlainUrl, { error: 'must have no query, fragment, user or password' })
      .transform((text) => text.replace(/\/$/, '')),
  );
/** A lock needs the votes of more than half: an even number stands no more failures than the odd one below it. */
const oddNumberOfUrls = (...protocols: string[]) =>
  list
    .refine((urls) => urls.every((each) => isUrl(each, protocols)), {
      error: `must be a URL starting with ${startingWith(protocols)}, or several separated by commas`,
    })
    .refine((urls) => urls.length === 0 || urls.length % 2 === 1, {
      error: 'must be one URL or an odd number of them: locks need more than half',
    });
/** What limits are called in headers, metrics, overrides and the limits of keys. */
export const RATE_LIMIT_RULES = [
  'perSecond',
  'perMinute',
  'perHour',
  'window',
  'mutations',
  'payments',
  'initialize',
  'verify',
  'auth',
  'webhooks',
] as const;
export type RateLimitRuleName = (typeof RATE_LIMIT_RULES)[number];
const rules = list.pipe(
  z.array(z.enum(RATE_LIMIT_RULES, { error: `must be names of ${RATE_LIMIT_RULES.join(', ')}, separated by commas` })),
);
/** Of mails to one address in an hour: the log of attempts is kept in one row, and so many are a few kilobytes. */
export const MAX_EMAIL_LIMIT = 1000;
const MAX_REQUESTS = 100_000_000;
const requests = (fallback: number) => integer(0, MAX_REQUESTS, fallback);
const mailbox = z.string().transform((text, context) => {
  const parsed = parseMailbox(text);
  if (parsed !== undefined) return parsed;
  const message =
    'must be an e-mail address such as no-reply@example.com, or a name and one: Example <no-reply@example.com>';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});
const secret = optional(z.string().min(8, 'must have at least 8 characters').max(512));

/**
 * Every variable Holdfast reads, its type and its default; `.env.example` explains them. Unknown variables are not
 * looked at. Durations carry their unit in the name.
 */
export const environmentSchema = z.object({
  NODE_ENV: z.preprocess(blankIsAbsent, z.enum(['development', 'test', 'production']).default('development')),
  PORT: integer(0, 65_535, 3000),
  HOST: z.preprocess(blankIsAbsent, z.string().default('127.0.0.1')),
  PROCESSES: processes,
  ROLE: z.preprocess(blankIsAbsent, z.enum(['all', 'api', 'worker']).default('all')),
  PUBLIC_URL: url('http:', 'https:'),
  ACCOUNT_PAGES_URL: url('http:', 'https:').refine(isPlainUrl, {
    error: 'must have no query, fragment, user or password',
  }),
  DATA_DIR: z.preprocess(blankIsAbsent, z.string().default('.holdfast')),
  LOG_LEVEL: z.preprocess(
    blankIsAbsent,
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  ),

  DATABASE_URL: url('postgres:', 'postgresql:'),
  DB_POOL_SIZE: integer(2, 500, 20),
  DB_POOL_TIMEOUT_MS: integer(100, 600_000, 30_000),
  DB_POOL_MAX_LIFETIME_MS: integer(1000, 86_400_000, 3_600_000),
  DB_STATEMENT_TIMEOUT_MS: integer(0, 3_600_000, 30_000),
  REDIS_URL: oddNumberOfUrls('redis:', 'rediss:'),

  BOOTSTRAP_API_KEY: optional(
    z.string().regex(/^hf_[\x21-\x7e]{29,}$/, 'must start with hf_ and have at least 32 printable characters'),
  ),
  ENCRYPTION_KEY: optional(
    z.string().regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits; make one with: openssl rand -hex 32'),
  ),
  // RFC 7518, section 3.2: a key of HS256 has at least 256 bits.
  JWT_SECRET: optional(
    z.string().min(32, 'must have at least 32 characters; make one with: openssl rand -hex 32').max(512),
  ),

  TRUSTED_PROXIES: addressRanges,
  CORS_ORIGINS: origins,
  BODY_LIMIT_BYTES: integer(1024, 64 * MEBIBYTE, 256 * 1024),
  REQUEST_TIMEOUT_MS: integer(100, 600_000, 30_000),
  // Four hours: balancers between a server and those behind it go beyond one.
  KEEP_ALIVE_TIMEOUT_MS: integer(1000, 14_400_000, 72_000),
  SHUTDOWN_TIMEOUT_MS: integer(100, 600_000, 20_000),
  METRICS_MAX_AGE_MS: integer(0, 60_000, 1000),

  RATE_LIMIT_PER_SECOND: requests(10),
  RATE_LIMIT_PER_MINUTE: requests(100),
  RATE_LIMIT_PER_HOUR: requests(1000),
  // A day at most: a window keeps the times of its requests, or 200 slots of them.
  RATE_LIMIT_WINDOW_MS: optional(wholeNumber(1000, 86_400_000)),
  RATE_LIMIT_MAX_REQUESTS: optional(wholeNumber(0, MAX_REQUESTS)),
  MUTATION_RATE_LIMIT: requests(20),
  PAYMENT_RATE_LIMIT: requests(5),
  INITIALIZE_RATE_LIMIT: requests(5),
  VERIFY_RATE_LIMIT: requests(10),
  AUTH_RATE_LIMIT: requests(5),
  AUTH_FAILURE_RATE_LIMIT: requests(60),
  PUBLIC_READ_RATE_LIMIT: requests(300),
  EMAIL_VERIFICATION_RATE_LIMIT: integer(0, MAX_EMAIL_LIMIT, 5),
  EMAIL_PASSWORD_RESET_RATE_LIMIT: integer(0, MAX_EMAIL_LIMIT, 3),
  RATE_LIMIT_STORE: optional(z.enum(['memory', 'postgres', 'redis'])),
  RATE_LIMIT_TOKEN_BUCKET: rules,
  RATE_LIMIT_SHADOW: rules,
  REPLICAS: integer(1, 10_000, 1),

  IDEMPOTENCY_TTL_HOURS: integer(1, 8760, 24),
  IDEMPOTENCY_LOCK_MS: integer(300, 3_600_000, 60_000),

  SMTP_URL: url('smtp:', 'smtps:'),
  MAIL_FROM: z.preprocess(blankIsAbsent, mailbox.prefault('Holdfast <no-reply@holdfast.invalid>')),

  PAYMENTS_RECONCILE_AT: z.preprocess(
    blankIsAbsent,
    z
      .string()
      .default('03:00')
      .refine((text) => text === 'off' || /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(text), {
        error: 'must be a time of the day in UTC such as 03:00, or off',
      }),
  ),

  STRIPE_SECRET_KEY: optional(
    z
      .string()
      .regex(
        /^(?:sk|rk)_(?:test|live)_[A-Za-z0-9]{8,}$/,
        'must be a secret or restricted key: sk_test_…, sk_live_…, rk_…',
      ),
  ),
  STRIPE_API_BASE: url('http:', 'https:').refine(isOrigin, {
    error: 'must have nothing after host and port: https://api.stripe.com',
  }),
  STRIPE_WEBHOOK_SECRET: secret,
  PAYSTACK_SECRET_KEY: secret,
  PAYSTACK_API_BASE: apiBase('https://api.paystack.co'),
  GORGIAS_WEBHOOK_SECRET: secret,
  SHOPIFY_WEBHOOK_SECRET: secret,
  GITHUB_WEBHOOK_SECRET: secret,
  STANDARD_WEBHOOK_SECRET: secret,
  HMAC_WEBHOOK_SECRET: secret,

  WEBHOOK_BODY_LIMIT_BYTES: integer(1024, 64 * MEBIBYTE, MEBIBYTE),
  WEBHOOK_MAX_RETRIES: integer(0, 100, 3),
  WEBHOOK_RETRY_BASE_MS: integer(1, 3_600_000, 1000),
  WEBHOOK_PROCESSING_TIMEOUT_MS: integer(10, 600_000, 25_000),
  WEBHOOK_LEASE_MS: integer(300, 3_600_000, 60_000),
  WEBHOOK_CONCURRENCY: integer(1, 200, 8),
  WEBHOOK_RATE_LIMIT_PER_MINUTE: integer(0, 100_000_000, 6000),
  WEBHOOK_RETENTION_DAYS: integer(4, 36_500, 30),
  SWEEP_INTERVAL_MS: integer(50, 600_000, 1000),

  WEBHOOK_ALLOW_PRIVATE_TARGETS: boolean(false),
  WEBHOOK_ALLOWED_PRIVATE_CIDRS: addressRanges,
});

export type Environment = z.infer<typeof environmentSchema>;
