// `nest build` (nest-cli.json) into a draft that replaces dist/ once it is whole: a build that fails or is killed leaves
// the last good one in place, and two at the same time do not mix.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));

const startedAt = new Date();
const draft = `.dist-${process.pid}`;
process.once('exit', () => rmSync(draft, { recursive: true, force: true }));
clearDrafts();
compile();
stamp();
replaceDist();

function compile() {
  const configFile = `${draft}/tsconfig.json`;
  mkdirSync(draft);
  writeFileSync(configFile, JSON.stringify({ extends: '../tsconfig.build.json', compilerOptions: { outDir: '.' } }));
  const nest = ['node_modules/@nestjs/cli/bin/nest.js', 'build', '--path', configFile];
  const { status } = spawnSync(process.execPath, nest, { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  rmSync(configFile);
}

/** Its presence says the build is whole, its time which sources it has seen (scripts/prepare.mjs). */
function stamp() {
  writeFileSync(`${draft}/.built`, startedAt.toISOString());
  utimesSync(`${draft}/.built`, startedAt, startedAt);
}

function replaceDist() {
  const old = `${draft}-old`;
  for (let tries = 0; ; tries += 1) {
    try {
      renameSync('dist', old);
    } catch {
      // There was none.
    }
    try {
      renameSync(draft, 'dist');
      break;
    } catch (error) {
      // Another build put its own there between the two lines.
      if (tries === 10) throw error;
    }
  }
  rmSync(old, { recursive: true, force: true });
}

/** What builds that were killed have left. */
function clearDrafts() {
  for (const name of readdirSync('.')) {
    const pid = /^\.dist-(\d+)/.exec(name)?.[1];
    if (pid && !isRunning(Number(pid))) rmSync(name, { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
