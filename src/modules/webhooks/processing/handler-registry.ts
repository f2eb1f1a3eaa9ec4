import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { EntityManager } from 'typeorm';
import type { ProviderName } from '../providers/webhook-provider.js';
import { type HandlerMetadata, WEBHOOK_HANDLER } from './webhook-handler.decorator.js';
import type { WebhookEventMessage } from './webhook-event-message.js';

export interface RegisteredHandler extends HandlerMetadata {
  /** `Class.method`, for logs. */
  name: string;
  /** For each of the events, or once for all of them. */
  run(tx: EntityManager, events: readonly WebhookEventMessage[]): Promise<void>;
}

/** What handles an event, in the order it runs. The same list for all events that the same handlers handle. */
export type Handlers = readonly RegisteredHandler[];

type HandlerMethod = (tx: EntityManager, given: WebhookEventMessage | readonly WebhookEventMessage[]) => unknown;

/** Event types come from outside: the memory of what matched must not grow with them. */
const MAX_REMEMBERED = 10_000;

/** Every method decorated with `@WebhookHandler`, found once at start. */
@Injectable()
export class HandlerRegistry implements OnModuleInit {
  private readonly logger = new Logger(HandlerRegistry.name);
  private handlers: { handler: RegisteredHandler; matchesType: (type: string) => boolean }[] = [];
  private readonly remembered = new Map<string, Handlers>();
  /** By the positions of its members. */
  private readonly lists = new Map<string, Handlers>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onModuleInit(): void {
    this.handlers = this.discovery
      .getProviders()
      .flatMap(({ instance }) => (typeof instance === 'object' && instance !== null ? this.handlersOf(instance) : []))
      .sort((a, b) => a.order - b.order || a.name.localeCompare(b.name))
      .map((handler) => ({ handler, matchesType: typeMatcher(handler.type) }));
    for (const { handler } of this.handlers) {
      this.logger.log(`${handler.source} ${handler.type} → ${handler.name}`);
    }
  }

  find(source: string, provider: ProviderName, type: string): Handlers {
    const key = `${source}\0${provider}\0${type}`;
    let found = this.remembered.get(key);
    if (!found) {
      const matching = this.handlers.filter(({ handler, matchesType }) => {
        return (handler.source === source || handler.source === provider) && matchesType(type);
      });
      const positions = matching.map((each) => this.handlers.indexOf(each)).join(' ');
      found = this.lists.get(positions) ?? matching.map(({ handler }) => handler);
      this.lists.set(positions, found);
      if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
      this.remembered.set(key, found);
    }
    return found;
  }

  private handlersOf(instance: object): RegisteredHandler[] {
    const prototype: unknown = Object.getPrototypeOf(instance);
    if (typeof prototype !== 'object' || prototype === null) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
      const handle = (instance as Record<string, unknown>)[method];
      if (typeof handle !== 'function') return [];
      const metadata = this.reflector.get(WEBHOOK_HANDLER, handle);
      if (!metadata) return [];
      const call: HandlerMethod = (handle as HandlerMethod).bind(instance);
      const run = metadata.batch === undefined ? oneByOne(call) : allAtOnce(call);
      return [{ ...metadata, name: `${instance.constructor.name}.${method}`, run }];
    });
  }
}

function oneByOne(call: HandlerMethod): RegisteredHandler['run'] {
  return async (tx, events) => {
    for (const event of events) {
      event.signal.throwIfAborted();
      await call(tx, event);
    }
  };
}

function allAtOnce(call: HandlerMethod): RegisteredHandler['run'] {
  return async (tx, events) => {
    if (events.length > 0) await call(tx, events);
  };
}

/** `*` matches any run of characters, everything else itself. */
export function typeMatcher(pattern: string): (type: string) => boolean {
  if (!pattern.includes('*')) return (type) => type === pattern;
  const source = pattern
    .split(/\*+/)
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  const expression = new RegExp(`^${source}$`, 's');
  return (type) => expression.test(type);
}
