#!/usr/bin/env node
import { loadEnvFile } from '../scripts/env-file.mjs';
import { prepare } from '../scripts/prepare.mjs';

await prepare();
loadEnvFile();
await import('../dist/src/cli/main.js');
