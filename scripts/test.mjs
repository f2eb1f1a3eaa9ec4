// `npm test`: everything, in the order in which failures are cheapest, up to the first that fails. `npm test -- <path>`
// runs only the tests that match. Arguments after `--` go to Jest.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

/** The commands of the packages, and for the migration check an empty database of its own. */
const CHECKS = [
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'dependency rules', command: ['depcruise', 'src', 'migrations', '--config', '.dependency-cruiser.cjs'] },
  { name: 'migrations', command: [process.execPath, 'dist/src/cli/main.js', 'migrate', '--check'], scratchData: true },
];

/** Jest runs ES modules with a part of Node that is called experimental, of which each process would warn. */
const MODULES_IN_TESTS = '--experimental-vm-modules --disable-warning=ExperimentalWarning';

/** When more files fail than this, something is broken. */
const MOST_AGAIN = 3;

const jestArguments = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
// As root PostgreSQL runs as another user, who must pass through.
chmodSync(scratch, 0o755);
let isSummed = false;
process.once('exit', () => {
  rmSync(scratch, { recursive: true, force: true });
  // Packages that cannot be installed and sources that cannot be built end us early.
  if (!isSummed) console.log('0 passed, 1 failed');
});
// The running child gets the signal too; we only wait until it has cleaned up.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (process.exitCode = 130));

await prepare();
const checks = jestArguments.length > 0 ? [] : CHECKS;
const results = [];
for (const check of checks) {
  results.push(await runCheck(check));
  if (!results.at(-1).ok) break;
}

const checked = results.every(({ ok }) => ok);
const tests = checked ? await runTests() : { passed: 0, failed: 0, skipped: 0, ok: false };
printSummary();
if (!(checked && tests.ok)) process.exitCode ||= 1;

async function runCheck({ name, command: [command, ...args], scratchData = false }) {
  process.stdout.write(`\n▸ ${name}\n`);
  const start = Date.now();
  const env = scratchData ? withScratchDatabase() : commandEnvironment();
  const code = await run(command, args, { env }).catch((error) => console.error(error.message));
  return { name, ok: code === 0, seconds: (Date.now() - start) / 1000 };
}

async function runTests() {
  process.stdout.write('\n▸ tests\n');
  const start = Date.now();
  const first = await runJest(jestArguments);
  const failing = [...first.files].filter(([, { failed }]) => failed > 0).map(([file]) => file);
  const again = failing.length > 0 && failing.length <= MOST_AGAIN ? await runAlone(failing) : first;
  const files = [...new Map([...first.files, ...again.files]).values()];
  const sum = (kind) => files.reduce((total, counts) => total + counts[kind], 0);
  const counts = { passed: sum('passed'), failed: sum('failed') || (again.ok ? 0 : 1), skipped: sum('skipped') };
  const ok = again.ok && counts.failed === 0 && counts.passed > 0;
  results.push({ name: 'tests', ok, seconds: (Date.now() - start) / 1000 });
  return { ...counts, ok, onlyAlone: ok ? failing : [] };
}

/** A machine that is too busy fails tests that wait for something. They are not hidden: the summary names them. */
function runAlone(files) {
  process.stdout.write(
    `\n▸ the tests of ${files.length} failed ${files.length === 1 ? 'file' : 'files'} again, alone\n`,
  );
  return runJest(files);
}

/** What each file had, by its path, and whether Jest is content: an error outside of any test fails a run as well. */
async function runJest(selection) {
  const report = join(scratch, `jest-${Date.now()}.json`);
  const args = [...selection, '--json', `--outputFile=${report}`];
  const env = { ...commandEnvironment(), NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${MODULES_IN_TESTS}` };
  const code = await run('jest', args, { env, stdio: ['inherit', 'ignore', 'inherit'] }).catch((error) =>
    console.error(error.message),
  );
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
    return { ok: code === 0, files: new Map(testResults.map((file) => [relative(root, file.name), countsOf(file)])) };
  } catch {
    return { ok: false, files: new Map() };
  }
}

/** A file that cannot be loaded or prepared has no failed test to count, and has failed all the same. */
function countsOf({ status, assertionResults }) {
  const count = (...kinds) => assertionResults.filter((test) => kinds.includes(test.status)).length;
  const [passed, failed] = [count('passed'), count('failed')];
  return {
    passed,
    failed: failed || (status === 'failed' ? 1 : 0),
    skipped: assertionResults.length - passed - failed,
  };
}

function printSummary() {
  isSummed = true;
  console.log('');
  for (const { name, ok, seconds } of results) {
    console.log(`${ok ? '✓' : '✗'} ${name.padEnd(18)} ${seconds.toFixed(1).padStart(6)} s`);
  }
  for (const file of tests.onlyAlone ?? []) {
    console.log(`${file} failed among the others and passed alone: a test that is not reliable, to be mended.`);
  }
  if (tests.ok && tests.skipped > 0) console.log(`${tests.skipped} skipped`);
  if (!checked) console.log(`The check "${results.at(-1).name}" failed: the tests were not run.`);
  else if (tests.passed === 0 && tests.failed === 0) console.log('No test ran.');
  console.log(`${tests.passed} passed, ${tests.failed + (checked ? 0 : 1)} failed`);
}

function commandEnvironment() {
  return { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}` };
}

/** Never the developer's own database: an embedded one in a folder that goes, or the tests' server. */
function withScratchDatabase() {
  const { DATABASE_URL: _own, ...env } = commandEnvironment();
  const given = process.env.TEST_DATABASE_URL;
  return { ...env, NODE_ENV: 'test', DATA_DIR: join(scratch, 'data'), ...(given && { DATABASE_URL: given }) };
}
