import { isIP } from 'node:net';
import { callbackify } from 'node:util';
import { Agent, buildConnector, Client, type Dispatcher, Pool } from 'undici';
import { HttpAddressRefusedError } from './http-client.errors.js';
import { type Carrier, Exchange } from './exchange.js';
import type { HttpNetwork } from './http-network.js';

/** To one origin; what is more waits its turn, and its deadline goes on. */
const CONNECTIONS_PER_ORIGIN = 32;
/** Name, TCP and TLS; a request whose deadline is earlier does not wait for it. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Node tries one address after the other, and its own 250 ms are less than a handshake over an ocean or two takes. */
const ADDRESS_TIMEOUT_MS = 1500;
/** Idle: below the 5 s of Node's servers and those that took the figure over. */
const KEEP_ALIVE_MS = 4000;
/** Where a server says that it keeps connections longer. */
const KEEP_ALIVE_MAX_MS = 60_000;

/**
 * Pools of connections, each to one origin. Every address of a name is judged when a connection is opened, and the connection
 * is made to one of those and no other: the name is not asked for again.
 *
 * Neither proxies nor `NODE_TLS_REJECT_UNAUTHORIZED` count: undici asks the environment in `EnvHttpProxyAgent` alone, and
 * certificates are always checked.
 *
 * @param permit of each address a connection may be opened to
 */
export function openConnections({ resolve, ca }: HttpNetwork, permit: (address: string) => boolean): Agent {
  const judge = (host: string, address: string): void => {
    if (!permit(address)) throw new HttpAddressRefusedError(host, address);
  };
  const lookUp = callbackify(async (host: string) => {
    const addresses = await resolve(host);
    // One that is refused spoils the name: a name of the internet has no reason to lead in here as well.
    for (const { address } of addresses) judge(host, address);
    return addresses;
  });
  const open = buildConnector({
    lookup: (host, _options, callback) => lookUp(host, callback),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
    timeout: CONNECT_TIMEOUT_MS,
    rejectUnauthorized: true,
    allowH2: false,
    ...(ca !== undefined && { ca }),
  });
  const connect: buildConnector.connector = (options, callback) => {
    // Node looks no address up, so it asks `lookup` about none.
    if (isIP(options.hostname) !== 0) judge(options.hostname, options.hostname);
    open(options, callback);
  };
  return new Agent({
    factory: (origin) =>
      new Pool(origin, { connections: CONNECTIONS_PER_ORIGIN, factory: (url) => new Connection(url, connect) }),
  });
}

/** One connection at a time, one request at a time on it. */
class Connection extends Client {
  private readonly carrier: Carrier;

  constructor(origin: URL, connect: buildConnector.connector) {
    const carrier: Carrier = { address: '' };
    super(origin, {
      pipelining: 1,
      // The deadline of the request covers both, and slow drips as well.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
      connect: (options, callback) =>
        connect(options, (...result) => {
          const [, socket] = result;
          if (socket) Object.assign(carrier, { socket, address: socket.remoteAddress ?? '' });
          callback(...result);
        }),
    });
    this.carrier = carrier;
  }

  /** Tells the exchange which socket it will be on: undici's handlers are not told. */
  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (options instanceof Exchange) options.carrier = this.carrier;
    return super.dispatch(options, handler);
  }
}
