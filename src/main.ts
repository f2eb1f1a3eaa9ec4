import { loadConfig } from './config/index.js';
import { run } from './run.js';

await run(() => loadConfig(process.env));
