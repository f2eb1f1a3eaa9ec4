import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Agent } from 'undici';
import { CONFIG, type Config } from '../../config/index.js';
import { Metrics } from '../metrics/index.js';
import { openConnections } from './connections.js';
import { Exchange } from './exchange.js';
import { HttpClientError } from './http-client.errors.js';
import { HTTP_NETWORK, type HttpNetwork } from './http-network.js';
import { checkedUrl, type HttpAnswer, type HttpRequest } from './http-request.js';
import { TargetAddresses } from './target-addresses.js';

/** Sends requests: within a deadline, without following redirects, without ever sending one twice. */
@Injectable()
export class HttpClient implements OnApplicationShutdown {
  /** Apart, so that no request to a public target finds a connection that was opened without judging its address. */
  private readonly agents: Readonly<Record<HttpRequest['target'], Agent>>;
  private readonly seconds;

  constructor(
    @Inject(CONFIG)
    config: Pick<Config, 'WEBHOOK_ALLOW_PRIVATE_TARGETS' | 'WEBHOOK_ALLOWED_PRIVATE_CIDRS' | 'isProduction'>,
    @Inject(HTTP_NETWORK) network: HttpNetwork,
    metrics: Metrics,
  ) {
    const allowsPrivate = config.WEBHOOK_ALLOW_PRIVATE_TARGETS;
    if (allowsPrivate && config.isProduction) {
      new Logger(HttpClient.name).warn(
        'WEBHOOK_ALLOW_PRIVATE_TARGETS lets the URLs of customers reach this machine and its network; in production name what they need in WEBHOOK_ALLOWED_PRIVATE_CIDRS',
      );
    }
    const addresses = new TargetAddresses(allowsPrivate, config.WEBHOOK_ALLOWED_PRIVATE_CIDRS);
    this.agents = {
      any: openConnections(network, () => true),
      public: openConnections(network, (address) => addresses.permit(address)),
    };
    this.seconds = metrics.histogram('holdfast_http_client_request_seconds', 'Requests to others by how they ended', {
      labelNames: ['purpose', 'outcome'],
    });
  }

  /**
   * @returns the answer, whatever its status
   * @throws HttpClientError, whose `mayHaveReached` says whether the request may have been carried out
   */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    const stopTimer = this.seconds.startTimer({ purpose: request.purpose });
    try {
      const answer = await this.exchange(request);
      stopTimer({ outcome: `${Math.floor(answer.status / 100)}xx` });
      return answer;
    } catch (error) {
      stopTimer({ outcome: error instanceof HttpClientError ? error.failure : 'bug' });
      throw error;
    }
  }

  /** Comes after the work of the process has ended; what is under way all the same fails with `HttpAbortedError`. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(Object.values(this.agents).map((agent) => agent.destroy()));
  }

  private exchange(request: HttpRequest): Promise<HttpAnswer> {
    const exchange = new Exchange(checkedUrl(request), request);
    if (!exchange.isSettled) this.agents[request.target].dispatch(exchange, exchange);
    return exchange.answer;
  }
}
