import { HttpRequestInvalidError } from './http-client.errors.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof METHODS)[number];

export interface HttpRequest {
  /** For the metric: a fixed word of the program's own, such as `paystack` or `delivery`. */
  readonly purpose: string;
  readonly method: HttpMethod;
  /** http or https; a fragment is not sent. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** For everything together: name, connection, TLS, request and answer. */
  readonly timeoutMs: number;
  /** Of the answer's body. */
  readonly maxResponseBytes: number;
  /** `fail` (the default): half an answer is none. `truncate`: the first bytes are enough to show. */
  readonly whenTooLarge?: 'fail' | 'truncate';
  /** `public` for URLs that others give us: only addresses of the internet. `any` for those of the operator. */
  readonly target: 'any' | 'public';
  readonly signal?: AbortSignal;
}

/** Whatever its status: redirects (3xx) are answers too, and never followed. */
export interface HttpAnswer {
  readonly status: number;
  /** By names in lower case; what came several times is joined with commas. */
  readonly headers: Readonly<Partial<Record<string, string>>>;
  readonly body: Buffer;
  /** There was more of the body than `maxResponseBytes`. */
  readonly truncated: boolean;
  /** The IP address that answered. */
  readonly address: string;
}

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110, section 5.5: what a value may hold, which is nothing that ends a line. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Where the message ends, whom it is for and what becomes of the connection is not the caller's to say. */
const OURS = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * What undici would refuse is refused here: a pool of undici 7.30 never uses a connection again whose request it refused.
 *
 * @returns the URL, as WHATWG reads it
 * @throws HttpRequestInvalidError
 */
export function checkedUrl({ method, url, headers = {} }: HttpRequest): URL {
  if (!METHODS.includes(method)) throw new HttpRequestInvalidError('The method is unknown');
  for (const [name, value] of Object.entries(headers)) {
    if (!TOKEN.test(name) || OURS.has(name.toLowerCase())) {
      throw new HttpRequestInvalidError(`A header must not be called ${JSON.stringify(name)}`);
    }
    if (!FIELD_VALUE.test(value)) throw new HttpRequestInvalidError(`The value of the header ${name} cannot be sent`);
  }
  if (!URL.canParse(url)) throw new HttpRequestInvalidError('The URL is none');
  const parsed = new URL(url);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new HttpRequestInvalidError('The URL must start with http:// or https://');
  }
  if (parsed.username + parsed.password !== '') {
    throw new HttpRequestInvalidError('The URL must not hold a user or a password');
  }
  return parsed;
}
