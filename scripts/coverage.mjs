// `npm run coverage`: every test against a build that counts, in the tests' own processes and in the servers they start. It prints
// the branches of the code that must be right, and fails below 90 %. Processes that a test kills with SIGKILL take their counts along.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import coverage from 'istanbul-lib-coverage';
import { createInstrumenter } from 'istanbul-lib-instrument';
import { createSourceMapStore } from 'istanbul-lib-source-maps';
import { prepare, root, run } from './prepare.mjs';

/** Per cent of the branches. */
const LEAST = 90;
const GROUPS = {
  money: [
    'src/kernel/money',
    'src/kernel/currency',
    'src/modules/ledger/',
    'src/modules/wallet/',
    'src/modules/payments/',
  ],
  webhooks: ['src/modules/webhooks/'],
  idempotency: ['src/platform/idempotency/'],
  auth: ['src/platform/auth/', 'src/modules/accounts/', 'src/modules/api-keys/'],
};

const output = join(root, 'coverage');
const built = join(root, 'dist/.built');

await prepare();
rmSync(output, { recursive: true, force: true });
mkdirSync(join(output, 'servers'), { recursive: true });
instrument();
let code;
try {
  code = await runTests();
} finally {
  // What counts is not what ships: the next command builds again.
  rmSync(built, { force: true });
}
const suffices = report(await merged());
if (code !== 0) console.log('Some tests failed: what they would have reached is missing above.');
process.exitCode = code === 0 && suffices ? 0 : 1;

function instrument() {
  const instrumenter = createInstrumenter({ esModules: true, compact: false, coverageVariable: '__coverage__' });
  for (const name of readdirSync(join(root, 'dist/src'), { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const file = join(root, 'dist/src', name);
    const map = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
    const counting = instrumenter.instrumentSync(readFileSync(file, 'utf8'), file, map);
    const isEntry = name === 'run.js' || name === join('cli', 'main.js');
    writeFileSync(file, isEntry ? `${counting}\n${keepAtExit()}` : counting);
  }
}

/** For the end of a program: what it has counted becomes a file. */
function keepAtExit() {
  const folder = JSON.stringify(join(output, 'servers'));
  return `
const { writeFileSync: keepCounts } = await import('node:fs');
process.once('exit', () => {
  const name = \`\${process.pid}-\${Date.now()}.json\`;
  keepCounts(\`\${${folder}}/\${name}\`, JSON.stringify(globalThis.__coverage__ ?? {}));
});
`;
}

function runTests() {
  const jest = [
    '--coverage',
    '--coverageReporters=json',
    `--coverageDirectory=${join(output, 'tests')}`,
    ...process.argv.slice(2),
  ];
  // The build counts already: Jest is to add nothing of its own.
  const env = {
    ...process.env,
    COVERAGE: 'build',
    PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
    NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
  };
  return run('jest', jest, { env });
}

async function merged() {
  const all = coverage.createCoverageMap({});
  const files = [
    ...readdirSync(join(output, 'servers')).map((name) => join(output, 'servers', name)),
    join(output, 'tests/coverage-final.json'),
  ];
  for (const file of files) {
    if (existsSync(file)) all.merge(JSON.parse(readFileSync(file, 'utf8')));
  }
  return createSourceMapStore().transformCoverage(all);
}

function report(map) {
  const files = map
    .files()
    .map((file) => ({ file: file.slice(root.length + 1), branches: map.fileCoverageFor(file).toSummary().branches }));
  let isEnough = true;
  for (const [group, folders] of Object.entries(GROUPS)) {
    const own = files.filter(({ file }) => folders.some((folder) => file.startsWith(folder)));
    const [covered, total] = ['covered', 'total'].map((kind) =>
      own.reduce((sum, { branches }) => sum + branches[kind], 0),
    );
    const percent = total === 0 ? 0 : (100 * covered) / total;
    isEnough &&= percent >= LEAST;
    console.log(
      `${percent >= LEAST ? '✓' : '✗'} ${group.padEnd(12)} ${percent.toFixed(1).padStart(5)} % of ${total} branches`,
    );
    for (const { file, branches } of own.toSorted((a, b) => missing(b) - missing(a)).slice(0, 5)) {
      if (missing({ branches }) > 0) console.log(`    ${String(missing({ branches })).padStart(3)} missing in ${file}`);
    }
  }
  return isEnough;
}

function missing({ branches }) {
  return branches.total - branches.covered;
}
