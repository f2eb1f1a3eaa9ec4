import { CliError } from './cli.error.js';

/** Longer than an inline source may take. */
const TIMEOUT_MS = 35_000;

export interface Answer {
  status: number;
  statusText: string;
  body: string;
}

/** `fetch` with the whole answer read. @throws CliError saying in one line why there is none */
export async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { status: response.status, statusText: response.statusText, body: await response.text() };
  } catch (error) {
    throw new CliError(unanswered(new URL(url).origin, error), { cause: error });
  }
}

function unanswered(origin: string, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `${origin} did not answer within ${TIMEOUT_MS / 1000} s`;
  // `fetch` says only "fetch failed"; the reason is its cause.
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause ? cause.code : undefined;
  if (code === 'ECONNREFUSED') return `no server answers at ${origin}; start one with npm start`;
  return `${origin} cannot be reached: ${cause.message || String(code)}`;
}
