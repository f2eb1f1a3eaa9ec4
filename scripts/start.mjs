// `npm start`: installs what is missing, builds what is stale, then is the server. The server runs in this very process
// and not in a child: one pid to signal, one exit code, and nothing left behind when it is killed.
import cluster from 'node:cluster';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadEnvFile } from './env-file.mjs';
import { prepare, root } from './prepare.mjs';
import { stopWithNpm } from './stop-with-npm.mjs';

process.chdir(root);
// With PROCESSES the server starts this file again for each; those have everything from the first.
if (cluster.isPrimary) {
  await prepare();
  loadEnvFile();
  stopWithNpm();
}
await import(pathToFileURL(join(root, 'dist/src/main.js')).href);
