import type { FastifyInstance } from 'fastify';
import { AddressList } from '../../kernel/address-list.js';
import { AppError } from '../../kernel/app-error.js';
import { clientAddress, plainAddress } from './client-address.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Also answered to who came by plain HTTP where HTTPS is required. */
    plainHttp?: boolean;
  }
}

/** `@RouteConfig(PLAIN_HTTP)`: for the machines of the house, which ask without a credential and by HTTP. */
export const PLAIN_HTTP = { plainHttp: true } as const;

/** 403: it came to the proxy unencrypted, where whoever was listening could read it. */
export class HttpsRequiredError extends AppError {
  readonly code = 'HTTPS_REQUIRED';
  readonly status = 403;
  readonly title = 'HTTPS required';

  constructor() {
    super('This came by plain HTTP. Send it by HTTPS; if it held a credential, replace that: it could be read.');
  }
}

/** Addresses whose trust is known; one that is not costs a microsecond. */
const MAX_REMEMBERED = 10_000;

/**
 * Makes `request.ip` the client's address for everything behind: limits, lists, audit, log. What these proxies say of a
 * request is believed, what anybody else says is not. Before any other hook.
 *
 * @param proxies addresses and CIDR ranges; with none nothing is installed, and nothing costs anything
 * @param requireHttps refuses what a proxy received by plain HTTP; who connects without one is not asked
 */
export function trustProxies(
  fastify: FastifyInstance,
  proxies: readonly string[],
  { requireHttps }: { requireHttps: boolean },
): void {
  if (proxies.length === 0) return;
  const isTrusted = remembered(AddressList.parse(proxies));
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { headers, socket } = request.raw;
    const remote = plainAddress(socket.remoteAddress ?? '');
    if (remote === undefined || !isTrusted(remote)) return done();
    const forwardedFor = headers['x-forwarded-for'];
    const value = typeof forwardedFor === 'string' ? clientAddress(remote, forwardedFor, isTrusted) : remote;
    // Over Fastify's getter: read many times, found out once.
    Object.defineProperty(request, 'ip', { value });
    const cameByHttp = requireHttps && lastOf(headers['x-forwarded-proto']) === 'http';
    done(cameByHttp && !request.routeOptions.config.plainHttp ? new HttpsRequiredError() : undefined);
  });
}

/** What the proxy next to us wrote stands last. */
function lastOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string'
    ? header
        .slice(header.lastIndexOf(',') + 1)
        .trim()
        .toLowerCase()
    : undefined;
}

function remembered(list: AddressList): (address: string) => boolean {
  const known = new Map<string, boolean>();
  return (address) => {
    const answer = known.get(address);
    if (answer !== undefined) return answer;
    if (known.size >= MAX_REMEMBERED) known.clear();
    const isTrusted = list.includes(address);
    known.set(address, isTrusted);
    return isTrusted;
  };
}
