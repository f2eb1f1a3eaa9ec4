import { VERSION } from '../version.js';
import { CliError } from './cli.error.js';

/** Longer than an inline source may take. */
const TIMEOUT_MS = 35_000;
const USER_AGENT = `holdfast-cli/${VERSION}`;

export interface Answer {
  status: number;
  statusText: string;
  body: string;
}

export interface Call {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Buffer;
}

/** `fetch` with the whole answer read. @throws CliError saying in one line why there is none */
export async function request(url: string, call: Call = {}): Promise<Answer> {
  const headers = { ...call.headers, 'User-Agent': USER_AGENT };
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { ...call, headers, redirect: 'manual', signal });
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
