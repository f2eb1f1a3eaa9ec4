import { hostname } from 'node:os';

/** Who did it, in claims, attempts and logs: host and process id. */
export const PROCESS_NAME = `${hostname()}:${process.pid}`;
