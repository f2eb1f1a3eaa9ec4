// The tests need a real redis-server. On Debian and its kin, as root, it is installed from the distribution; everywhere
// else the message says what to do. Nothing is left running: the tests start their own on a free port.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Debian's rule: a package's services are not started when this script answers 101 (invoke-rc.d(8)).
const POLICY = '/usr/sbin/policy-rc.d';

/** Path or name of a redis-server that runs here. @throws Error that says how to get one */
export function redisServer() {
  if (runs('redis-server')) return 'redis-server';
  const isDebian = existsSync('/usr/bin/apt-get');
  if (!isDebian || process.getuid?.() !== 0) {
    throw new Error(
      'The tests need a real Redis: install redis-server (apt-get install redis-server, brew install redis), or set TEST_REDIS_URL to one they may use.',
    );
  }
  process.stderr.write('Installing redis-server with apt-get …\n');
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) {
    writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
    chmodSync(POLICY, 0o755);
  }
  try {
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', 'redis-server');
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
  return 'redis-server';
}

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stdout, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(
      `apt-get ${args.join(' ')} failed. Install redis-server yourself or set TEST_REDIS_URL.\n${stdout}${stderr}`,
    );
  }
}

function runs(command) {
  return spawnSync(command, ['--version']).status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    redisServer();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
