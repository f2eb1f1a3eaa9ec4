import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, isRunning } from './process-ref.js';

type Role = 'owner' | 'attached';

/**
 * Decides which one of several processes on this machine owns a data directory. Every process keeps a file of its own in
 * one folder, and the file's name says who it is. To own the directory: write an owner file, look round, and withdraw if
 * another live owner is there. Two that write at once see each other and both withdraw, so there are never two owners, and
 * nobody ever removes another's live file: the trap of a single lock file that two processes take over at once.
 */
export class OwnerLock {
  private readonly id: string;
  private readonly held = new Set<Role>();

  constructor(private readonly folder: string) {
    const startedAt = identifyProcess(process.pid)?.startedAt ?? '';
    this.id = `${process.pid}-${startedAt}-${randomBytes(4).toString('hex')}`;
  }

  /** True if this process is now the one owner; false if another is, or is trying at this moment. */
  tryOwn(): boolean {
    this.write('owner');
    if (this.others('owner').length === 0) return true;
    this.release('owner');
    return false;
  }

  /** Makes this process known to the owner, which then leaves PostgreSQL running when it stops. */
  attach(): void {
    this.write('attached');
  }

  /** Whether another live process uses the directory besides the owner. */
  hasOthersAttached(): boolean {
    return this.others('attached').length > 0;
  }

  isOwner(): boolean {
    return this.held.has('owner');
  }

  /** Gives one role up, or both. */
  release(...roles: Role[]): void {
    for (const role of roles.length > 0 ? roles : (['attached', 'owner'] as const)) {
      if (this.held.delete(role)) rmSync(this.path(role), { force: true });
    }
  }

  private write(role: Role): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.path(role), '');
    this.held.add(role);
  }

  private path(role: Role): string {
    return join(this.folder, `${role}-${this.id}`);
  }

  /** Live files of others in this role; those of dead processes are cleared away on the way. */
  private others(role: Role): string[] {
    return readdirSync(this.folder).filter((name) => {
      if (!name.startsWith(`${role}-`) || name === `${role}-${this.id}`) return false;
      const [, pid, startedAt = ''] = name.split('-');
      if (isRunning({ pid: Number(pid), startedAt })) return true;
      rmSync(join(this.folder, name), { force: true });
      return false;
    });
  }
}
