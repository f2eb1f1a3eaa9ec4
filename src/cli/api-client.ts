import { CliError } from './cli.error.js';
import { type Answer, type Call, request } from './http.js';
import type { Settings } from './settings.js';

export type Query = Readonly<Record<string, string | number | undefined>>;

/** What every 4xx and 5xx says, RFC 9457. */
interface Problem {
  title?: string;
  detail?: string;
  code?: string;
  requestId?: string;
}

/** The running server's HTTP API. Answers come back as text, so that what is printed as JSON is what the server said. */
export class ApiClient {
  private constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  /** @throws CliError without a server or an API key, in this order: the first start makes the first key */
  static async connect(settings: Settings, givenUrl: string | undefined): Promise<ApiClient> {
    const url = settings.serverUrl(givenUrl);
    await request(`${url}/health/live`);
    return new ApiClient(url, await settings.apiKey(url));
  }

  /** @throws CliError with the server's own words for anything but a 2xx */
  get(path: string, query: Query = {}): Promise<string> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    return this.ask(search.size > 0 ? `${path}?${search.toString()}` : path, {});
  }

  /** @throws CliError with the server's own words for anything but a 2xx */
  post(path: string, body?: unknown): Promise<string> {
    if (body === undefined) return this.ask(path, { method: 'POST' });
    const headers = { 'content-type': 'application/json' };
    return this.ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  private async ask(path: string, call: Call): Promise<string> {
    const headers = { ...call.headers, authorization: `Bearer ${this.key}` };
    const answer = await request(this.url + path, { ...call, headers });
    if (answer.status < 200 || answer.status >= 300) throw new CliError(explain(answer));
    return answer.body;
  }
}

function explain(answer: Answer): string {
  const { title, detail, code, requestId } = problemOf(answer);
  const hint = answer.status === 401 ? ' Is HOLDFAST_API_KEY the key of this server?' : '';
  if (code === undefined) return `The server answered ${answer.status} ${answer.statusText}.${hint}`;
  return `${title}: ${detail} (${code}, request ${requestId})${hint}`;
}

/** Empty for an answer of somebody else, such as a proxy. */
export function problemOf({ body }: Answer): Problem {
  try {
    const problem: unknown = JSON.parse(body);
    return typeof problem === 'object' && problem !== null ? problem : {};
  } catch {
    return {};
  }
}
