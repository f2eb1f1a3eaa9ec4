import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OwnerLock } from './owner-lock.js';

const onLinux = process.platform === 'linux' ? it : it.skip;

describe('OwnerLock', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('lets one own the folder until it lets go', () => {
    const [first, second] = [new OwnerLock(folder), new OwnerLock(folder)];
    expect([first.tryOwn(), second.tryOwn()]).toEqual([true, false]);
    expect([first.isOwner(), second.isOwner()]).toEqual([true, false]);
    first.release();
    expect([first.isOwner(), second.tryOwn()]).toEqual([false, true]);
    second.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('passes over the file of a process that was killed, and clears it away', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const exited = once(child, 'exit');
    writeFileSync(join(folder, `owner-${child.pid}--cafe`), '');
    const lock = new OwnerLock(folder);
    expect(lock.tryOwn()).toBe(false);
    child.kill('SIGKILL');
    await exited;
    expect(lock.tryOwn()).toBe(true);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  onLinux('is not fooled by a pid that another process has got since', () => {
    writeFileSync(join(folder, `owner-${process.pid}-12345.otherboot-cafe`), '');
    expect(new OwnerLock(folder).tryOwn()).toBe(true);
  });

  it('tells the owner whether others are attached', () => {
    const [owner, guest] = [new OwnerLock(folder), new OwnerLock(folder)];
    owner.attach();
    owner.tryOwn();
    expect(owner.hasOthersAttached()).toBe(false);
    guest.attach();
    expect(owner.hasOthersAttached()).toBe(true);
    guest.release('attached');
    expect(owner.hasOthersAttached()).toBe(false);
  });
});
