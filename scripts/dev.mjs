// `npm run start:dev`: compiles on every change and starts the server again (`nest start --watch`).
import { prepare, run } from './prepare.mjs';
import { loadEnvFile } from './env-file.mjs';
import { stopWithNpm } from './stop-with-npm.mjs';

await prepare({ build: false });
loadEnvFile();
stopWithNpm();
process.exitCode = await run(process.execPath, ['node_modules/@nestjs/cli/bin/nest.js', 'start', '--watch']);
