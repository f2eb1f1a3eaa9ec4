// What every script needs before it can run: a Node that is new enough, the packages of package-lock.json, and a build
// that is not older than its sources. Plain JavaScript and no packages: it runs before there are any.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const OLDEST_NODE = [20, 19];
const BUILD_INPUTS = [
  'src',
  'migrations',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
  'scripts/build.mjs',
];

/** Ends the process with one line when something cannot be done. */
export async function prepare({ build = true } = {}) {
  checkNode();
  // A deployed copy has no sources: it is complete as it is.
  if (!existsSync(join(root, 'src'))) return;
  if (!isInstalled()) await step('Installing packages', install);
  if (build && !isBuilt()) await step('Building', () => runNode(['scripts/build.mjs'], 'The build failed: see above.'));
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  fail(`Holdfast needs Node ${OLDEST_NODE.join('.')} or newer and this is ${process.version}: see https://nodejs.org`);
}

/** Every package of the lock file is there in its version. Optional ones are for other platforms as a rule. */
export function isInstalled() {
  const wanted = readPackages('package-lock.json');
  const found = readPackages('node_modules/.package-lock.json');
  return Object.entries(wanted).every(
    ([path, { version, optional, devOptional }]) =>
      path === '' || optional || devOptional || found[path]?.version === version,
  );
}

/** Whether dist/ is whole and no older than what it is made of. */
export function isBuilt() {
  const stamp = statSync(join(root, 'dist/.built'), { throwIfNoEntry: false });
  return stamp !== undefined && BUILD_INPUTS.every((path) => newest(join(root, path)) <= stamp.mtimeMs);
}

/** Runs a child in the foreground and resolves with its exit code. Ctrl-C reaches it by itself, a SIGTERM through us. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const terminate = () => child.kill('SIGTERM');
    process.on('SIGTERM', terminate);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('SIGTERM', terminate);
      resolve(signal ? 1 : code);
    });
  });
}

export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

async function install() {
  // The npm that started us, if it did; --include=dev because NODE_ENV=production would leave the compiler out.
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const args = [...npm.slice(1), 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = await run(npm[0], args).catch(() => 1);
  if (code !== 0) {
    fail(
      'npm ci failed: see above. It needs the npm registry once; without a network bring node_modules from elsewhere.',
    );
  }
}

async function runNode(args, failure) {
  if ((await run(process.execPath, args)) !== 0) fail(failure);
}

/** Told on standard error: the output of what we prepare for may be read by a program. */
async function step(name, work) {
  const start = Date.now();
  process.stderr.write(`${name} … `);
  await work();
  process.stderr.write(`${((Date.now() - start) / 1000).toFixed(1)} s\n`);
}

function readPackages(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), 'utf8')).packages;
  } catch {
    return {};
  }
}

/** A folder's own time counts too: it changes when a file in it is removed. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return path.endsWith('.spec.ts') ? 0 : stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
