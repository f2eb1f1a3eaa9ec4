import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CONFIG, type Config } from '../../../../config/index.js';

const EVERYWHERE = new Set(['0.0.0.0', '::']);

/** Where this process listens: the sandbox is called, and calls, over HTTP like a provider elsewhere. */
@Injectable()
export class SandboxAddress {
  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** `http://127.0.0.1:3000`; undefined until the server listens. */
  get own(): string | undefined {
    const server: Server = this.host.httpAdapter.getHttpServer();
    const bound = server.address() as AddressInfo | null;
    if (bound === null) return undefined;
    const address = EVERYWHERE.has(bound.address) ? '127.0.0.1' : bound.address;
    return `http://${address.includes(':') ? `[${address}]` : address}:${bound.port}`;
  }

  /** Where customers find it. */
  get public(): string {
    return this.config.PUBLIC_URL ?? this.own ?? '';
  }
}
