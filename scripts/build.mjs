// Compiles src/ into dist/ with the TypeScript compiler and the @nestjs/swagger transformer, so that DTO classes and
// their doc comments become the OpenAPI document without a second set of decorators. The Nest CLI would do the same,
// but its schematics need Node 22.
import { readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { before as swagger } from '@nestjs/swagger/plugin';
import ts from 'typescript';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));

const configFile = 'tsconfig.build.json';
const swaggerOptions = {
  introspectComments: true,
  esmCompatible: true,
  dtoFileNameSuffix: ['.dto.ts'],
  // src/openapi reads the rules themselves, all of them.
  classValidatorShim: false,
};
const formatHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: ts.sys.getCurrentDirectory,
  getNewLine: () => '\n',
};

if (process.argv.includes('--watch')) watch();
else build();

/**
 * Into a draft that replaces dist/ once it is whole: a build that fails or is killed leaves the last good one in place,
 * and two at the same time do not mix.
 */
function build() {
  const startedAt = new Date();
  clearDrafts();
  const draft = `.dist-${process.pid}`;
  process.once('exit', () => rmSync(draft, { recursive: true, force: true }));
  const { options, fileNames, errors } = ts.getParsedCommandLineOfConfigFile(
    configFile,
    { outDir: draft },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (diagnostic) => report([diagnostic]) },
  );
  const program = ts.createProgram(fileNames, options);
  const emitted = program.emit(undefined, undefined, undefined, false, { before: [swagger(swaggerOptions, program)] });
  report([...errors, ...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics]);
  stamp(draft, startedAt);
  replaceDist(draft);
}

function watch() {
  const host = ts.createWatchCompilerHost(
    configFile,
    { preserveWatchOutput: true },
    ts.sys,
    ts.createSemanticDiagnosticsBuilderProgram,
  );
  const { createProgram, afterProgramCreate } = host;
  let startedAt = new Date();
  host.createProgram = (...args) => {
    startedAt = new Date();
    const program = createProgram(...args);
    const emit = program.emit;
    program.emit = (file, write, token, declarationsOnly) =>
      emit(file, write, token, declarationsOnly, { before: [swagger(swaggerOptions, program.getProgram())] });
    return program;
  };
  host.afterProgramCreate = (program) => {
    afterProgramCreate(program);
    if (ts.getPreEmitDiagnostics(program.getProgram()).length > 0) return;
    stamp('dist', startedAt);
    // scripts/dev.mjs waits for the first one.
    process.send?.('built');
  };
  ts.createWatchProgram(host);
}

/** Its presence says the build is whole, its time which sources it has seen (scripts/prepare.mjs). */
function stamp(folder, startedAt) {
  writeFileSync(`${folder}/.built`, startedAt.toISOString());
  utimesSync(`${folder}/.built`, startedAt, startedAt);
}

function replaceDist(draft) {
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

function report(diagnostics) {
  if (diagnostics.length === 0) return;
  process.stderr.write(ts.formatDiagnosticsWithColorAndContext(diagnostics, formatHost));
  process.exit(1);
}
