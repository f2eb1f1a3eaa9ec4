import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';

/** Kept in `<dataDir>/postgres.json`, readable by its owner only. */
export interface ClusterSettings {
  port: number;
  password: string;
}

/** Role and database are both called this. */
export const NAME = 'holdfast';

export function readSettings(path: string): ClusterSettings | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const settings = parse(text);
  if (settings) return settings;
  throw new EmbeddedPostgresError(
    `${path} is not what Holdfast wrote there: restore it, or remove the whole data folder to start afresh without the old data.`,
  );
}

/** Whole or not at all, also when the machine loses power: the password in it is the only copy. */
export function writeSettings(path: string, settings: ClusterSettings): void {
  const draft = `${path}.${process.pid}`;
  const file = openSync(draft, 'w', 0o600);
  writeSync(file, `${JSON.stringify(settings)}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
}

export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** @param database another database of the same cluster */
export function connectionUrl({ port, password }: ClusterSettings, database: string = NAME): string {
  return `postgres://${NAME}:${password}@127.0.0.1:${port}/${database}`;
}

/** `preferred` if nobody listens there on 127.0.0.1, else any free port. */
export async function freePort(preferred?: number): Promise<number> {
  const port = (preferred === undefined ? undefined : await tryListen(preferred)) ?? (await tryListen(0));
  if (port !== undefined) return port;
  throw new EmbeddedPostgresError('No port can be opened on 127.0.0.1: PostgreSQL needs one, or set DATABASE_URL.');
}

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}

function parse(text: string): ClusterSettings | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('port' in value) || !('password' in value)) return undefined;
    const { port, password } = value;
    return typeof port === 'number' && typeof password === 'string' ? { port, password } : undefined;
  } catch {
    return undefined;
  }
}
