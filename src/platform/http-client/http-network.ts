import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';

/** Injection token of the `HttpNetwork`. */
export const HTTP_NETWORK = Symbol('HTTP_NETWORK');

/** What lies outside of the process; tests bring their own. */
export interface HttpNetwork {
  /** All addresses of a name, in the order in which they are to be tried. */
  readonly resolve: (host: string) => Promise<LookupAddress[]>;
  /** PEM; the certificate authorities to believe in place of those that Node brings along. */
  readonly ca?: string;
}

/** The machine's own resolver, /etc/hosts included. Of libuv's threads it never takes more than half: passwords go on. */
export const SYSTEM_NETWORK: HttpNetwork = { resolve: (host) => lookup(host, { all: true }) };
