export interface HttpRequest {
  /** Method and path. */
  line: string;
  host: string;
  headers: Readonly<Record<string, string>>;
  /** JSON; none for a GET. */
  body?: string;
}

/** The bytes of a request, as Latin-1. */
export function httpRequest({ line, host, headers, body = '' }: HttpRequest): string {
  const fields = Object.entries({
    Host: host,
    ...headers,
    ...(body && { 'Content-Length': String(Buffer.byteLength(body)) }),
  });
  return `${line} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

/** Of a service's request to the API. */
export function apiHeaders(apiKey: string): Record<string, string> {
  return { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json', Accept: 'application/json' };
}
