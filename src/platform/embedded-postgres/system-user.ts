import { spawnSync } from 'node:child_process';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';

/** The user PostgreSQL runs as when we are root, because it refuses to run as root. */
export interface SystemUser {
  uid: number;
  gid: number;
}

export function runsAsRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The `postgres` user where there is one, else a system user made for this, else `nobody`.
 * @throws EmbeddedPostgresError when the machine has none of them
 */
export function systemUser(): SystemUser {
  const known = find('postgres') ?? find('holdfast');
  if (known) return known;
  // Debian and Red Hat have useradd, Alpine and BusyBox adduser.
  const made =
    run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'holdfast']) ??
    run('adduser', ['-S', '-D', '-H', 'holdfast']);
  const user = (made === undefined ? undefined : find('holdfast')) ?? find('nobody');
  if (user) return user;
  throw new EmbeddedPostgresError(
    'PostgreSQL refuses to run as root, and no user could be made for it: run `useradd --system postgres`, start as a normal user, or set DATABASE_URL.',
  );
}

/** Whether the system lets `user` do all of this: `x` enter or run, `r` read. Asked of the system, so ACLs count too. */
export function canReach(user: SystemUser, ...paths: readonly (readonly ['x' | 'r', string])[]): boolean {
  return paths.every(([right, path]) => run('test', [`-${right}`, path], user) !== undefined);
}

function find(name: string): SystemUser | undefined {
  const uid = Number(run('id', ['-u', name]) ?? Number.NaN);
  const gid = Number(run('id', ['-g', name]) ?? Number.NaN);
  return uid > 0 && gid > 0 ? { uid, gid } : undefined;
}

/** The command's output, or undefined when it failed or does not exist. */
function run(command: string, args: readonly string[], user?: SystemUser): string | undefined {
  const result = spawnSync(command, args, { ...user, cwd: '/', encoding: 'utf8' });
  return result.status === 0 ? result.stdout : undefined;
}
