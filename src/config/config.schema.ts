import ipaddr from 'ipaddr.js';
import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

/** Blank counts as absent: `FOO=` in an env file means "use the default". */
const blankIsAbsent = (value: unknown) => (typeof value === 'string' && value.trim() === '' ? undefined : value);
const optional = <T extends z.ZodType>(type: T) => z.preprocess(blankIsAbsent, type.optional());
const integer = (min: number, max: number, fallback: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  const isInRange = (value: number) => Number.isInteger(value) && value >= min && value <= max;
  return z.preprocess(blankIsAbsent, z.coerce.number({ error }).refine(isInRange, { error }).default(fallback));
};
const list = z.preprocess(blankIsAbsent, z.string().default('')).transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const proxies = list.superRefine((addresses, context) => {
  for (const address of addresses) {
    if (ipaddr.isValid(address) || ipaddr.isValidCIDR(address)) continue;
    const message = `"${address}" is neither an IP address nor a CIDR range such as 10.0.0.0/8`;
    context.addIssue({ code: 'custom', message });
  }
});
const url = (...protocols: string[]) =>
  optional(
    z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
      error: `must be a URL starting with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    }),
  );
const secret = optional(z.string().min(8, 'must have at least 8 characters').max(512));

/**
 * Every variable Holdfast reads, its type and its default; `.env.example` explains them. Unknown variables are not
 * looked at. Durations carry their unit in the name.
 */
export const environmentSchema = z.object({
  NODE_ENV: z.preprocess(blankIsAbsent, z.enum(['development', 'test', 'production']).default('development')),
  PORT: integer(0, 65_535, 3000),
  HOST: z.preprocess(blankIsAbsent, z.string().default('127.0.0.1')),
  ROLE: z.preprocess(blankIsAbsent, z.enum(['all', 'api', 'worker']).default('all')),
  PUBLIC_URL: url('http:', 'https:'),
  DATA_DIR: z.preprocess(blankIsAbsent, z.string().default('.holdfast')),
  LOG_LEVEL: z.preprocess(
    blankIsAbsent,
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  ),

  DATABASE_URL: url('postgres:', 'postgresql:'),
  DB_POOL_SIZE: integer(2, 500, 20),
  DB_POOL_TIMEOUT_MS: integer(100, 600_000, 30_000),
  DB_STATEMENT_TIMEOUT_MS: integer(0, 3_600_000, 30_000),
  REDIS_URL: url('redis:', 'rediss:'),

  BOOTSTRAP_API_KEY: optional(
    z.string().regex(/^hf_[\x21-\x7e]{29,}$/, 'must start with hf_ and have at least 32 printable characters'),
  ),
  ENCRYPTION_KEY: optional(
    z.string().regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits; make one with: openssl rand -hex 32'),
  ),

  TRUSTED_PROXIES: proxies,
  BODY_LIMIT_BYTES: integer(1024, 64 * MEBIBYTE, 256 * 1024),
  REQUEST_TIMEOUT_MS: integer(100, 600_000, 30_000),
  SHUTDOWN_TIMEOUT_MS: integer(100, 600_000, 20_000),

  STRIPE_WEBHOOK_SECRET: secret,
  PAYSTACK_SECRET_KEY: secret,
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
});

export type Environment = z.infer<typeof environmentSchema>;
