import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { copyBinaries, locateBinaries, program, type Binaries } from './binaries.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';
import { canReach, runsAsRoot, systemUser, type SystemUser } from './system-user.js';

/** Where PostgreSQL's files lie and who runs it. */
export interface Placement {
  /** Holds `data`, the cluster itself, and during initdb its draft. */
  home: string;
  binaries: Binaries;
  /** Set when we are root and PostgreSQL must be somebody else. */
  user?: SystemUser;
}

/** Used as root when the system user cannot enter our own folders, as under /root. */
const SHARED = '/var/lib/holdfast';

/**
 * A normal user keeps everything in place. For root the programs, the data or both go to /var/lib/holdfast when the system
 * user cannot reach them: PostgreSQL asks access(2), which no inherited capability satisfies.
 */
export function placeCluster(dataDir: string, log: (line: string) => void): Placement {
  const binaries = locateBinaries();
  const home = join(dataDir, 'postgres');
  if (!runsAsRoot()) {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    return { home, binaries };
  }
  const user = ownerOf(join(home, 'data')) ?? systemUser();
  placeHome(home, dataDir, user, log);
  // The link's target: PostgreSQL cannot pass through the folder that the link is in.
  return { home: realpathSync(home), binaries: reachableBinaries(binaries, user, log), user };
}

function placeHome(home: string, dataDir: string, user: SystemUser, log: (line: string) => void): void {
  const existing = lstatSync(home, { throwIfNoEntry: false });
  if (existing?.isSymbolicLink() && !existsSync(home)) {
    throw new EmbeddedPostgresError(
      `${home} points to data that is gone: bring it back, or remove ${home} to start with an empty database.`,
    );
  }
  if (existing === undefined && !canReach(user, ['x', dataDir])) {
    const shared = join(SHARED, `data-${randomBytes(6).toString('hex')}`);
    makeShared();
    mkdirSync(shared, { mode: 0o700 });
    symlinkSync(shared, home);
    log(`PostgreSQL does not run as root, and its user cannot enter ${dataDir}: the data is kept in ${shared}`);
  } else {
    mkdirSync(home, { recursive: true, mode: 0o700 });
  }
  chownSync(home, user.uid, user.gid);
  if (canReach(user, ['x', realpathSync(home)])) return;
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and its user may not enter ${home}: run chmod o+x on the folders above it, or move it to where everybody may enter.`,
  );
}

function reachableBinaries(binaries: Binaries, user: SystemUser, log: (line: string) => void): Binaries {
  const template = join(binaries.root, 'share', 'postgresql', 'postgres.bki');
  if (canReach(user, ['x', program(binaries, 'postgres')], ['x', program(binaries, 'initdb')], ['r', template])) {
    return binaries;
  }
  makeShared();
  const copy = copyBinaries(binaries, SHARED);
  log(`PostgreSQL does not run as root, and its user cannot enter ${binaries.root}: running the copy in ${copy.root}`);
  return copy;
}

/** Who made the data runs it: a later start as root must not change hands. */
function ownerOf(data: string): SystemUser | undefined {
  const stat = statSync(data, { throwIfNoEntry: false });
  return stat && stat.uid !== 0 ? { uid: stat.uid, gid: stat.gid } : undefined;
}

function makeShared(): void {
  mkdirSync(SHARED, { recursive: true });
  // Whatever the umask: another user must pass through.
  chmodSync(SHARED, 0o755);
}
