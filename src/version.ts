import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('#package') as { version: string };

/** From package.json, which `imports` itself by that name: sources and what is built lie at different depths below it. */
export const VERSION = version;
