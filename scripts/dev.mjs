// `npm run start:dev`: compiles on every change and starts the server again.
import { spawn } from 'node:child_process';
import { loadEnvFile } from './env-file.mjs';
import { prepare, root } from './prepare.mjs';
import { stopWithNpm } from './stop-with-npm.mjs';

await prepare({ build: false });
loadEnvFile();
stopWithNpm();

const children = [];
let server;
const compiler = start(['scripts/build.mjs', '--watch'], ['inherit', 'inherit', 'inherit', 'ipc']);
// Not before the first build is whole: `node --watch` would start again for every file of it.
compiler.on('message', () => (server ??= start(['--watch', '--watch-preserve-output', 'dist/main.js'], 'inherit')));

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);

function start(args, stdio) {
  const child = spawn(process.execPath, args, { cwd: root, stdio });
  child.once('exit', (code) => {
    process.exitCode ||= code ?? 0;
    stop();
  });
  children.push(child);
  return child;
}

/** The server finishes its work; we wait for it by having nothing else to do. */
function stop() {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
}
