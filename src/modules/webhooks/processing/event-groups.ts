import { Injectable } from '@nestjs/common';
import type { ClaimedEvent } from './claims.repository.js';
import { HandlerRegistry, type Handlers } from './handler-registry.js';

/** Events that share a transaction, and what handles them. */
export interface EventGroup {
  readonly events: readonly ClaimedEvent[];
  readonly handlers: Handlers;
}

/** Events that share a transaction, at most, unless their handlers take batches. Above, little is left to share. */
const LARGEST = 25;
/** Of their bodies. Parsing them stops everything else. */
const MAX_BYTES = 1024 * 1024;
/** Handlers that take longer for an event, on average, hold up those that share a transaction with it. */
const QUICK_MS = 10;

/**
 * Which events share a transaction: those that the same handlers handle, and none that was tried before. A transaction costs
 * as much as thirty small handlers. How many share one: one at first, twice as many after each time that went well and was
 * quick, and one again after any other.
 */
@Injectable()
export class EventGroups {
  private readonly sizes = new WeakMap<Handlers, number>();
  /** What handles the groups that were formed last; undefined for events that go alone. */
  private recent: readonly (Handlers | undefined)[] = [];

  constructor(private readonly registry: HandlerRegistry) {}

  /** Of the next events, if they are as those before: how many to a group. */
  get expectedSize(): number {
    if (this.recent.length === 0) return 1;
    const sizes = this.recent.map((handlers) => (handlers === undefined ? 1 : this.sizeFor(handlers)));
    return Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / sizes.length);
  }

  /** Of an event that shares its transaction with none. */
  alone(event: ClaimedEvent): EventGroup {
    return { events: [event], handlers: this.registry.find(event.source, event.provider, event.eventType) };
  }

  /** In the order in which the first of each came. */
  of(events: readonly ClaimedEvent[]): EventGroup[] {
    const groups: EventGroup[] = [];
    const recent: (Handlers | undefined)[] = [];
    const open = new Map<Handlers, ClaimedEvent[]>();
    for (const event of events) {
      const group = this.alone(event);
      const { handlers } = group;
      const company = open.get(handlers);
      if (goesAlone(event)) {
        groups.push(group);
        recent.push(undefined);
      } else if (company !== undefined && company.length < this.sizeFor(handlers) && fits(event, company)) {
        company.push(event);
      } else {
        const opened = [event];
        open.set(handlers, opened);
        groups.push({ events: opened, handlers });
        recent.push(handlers);
      }
    }
    if (groups.length > 0) this.recent = recent;
    return groups;
  }

  /** @param ms its handlers took for each event */
  succeeded({ events, handlers }: EventGroup, ms: number): void {
    if (events.some(goesAlone)) return;
    this.sizes.set(handlers, ms <= QUICK_MS ? Math.min(2 * this.sizeFor(handlers), largest(handlers)) : 1);
  }

  failed({ handlers }: EventGroup): void {
    this.sizes.set(handlers, 1);
  }

  private sizeFor(handlers: Handlers): number {
    return this.sizes.get(handlers) ?? 1;
  }
}

/**
 * A worker that is killed takes an attempt of all its events with it. What was tried before may be what killed it, and what has
 * no retries cannot afford that.
 */
function goesAlone({ retryCount, maxRetries }: ClaimedEvent): boolean {
  return retryCount > 0 || maxRetries === 0;
}

function fits({ rawBody }: ClaimedEvent, company: readonly ClaimedEvent[]): boolean {
  return company.reduce((bytes, event) => bytes + event.rawBody.length, rawBody.length) <= MAX_BYTES;
}

function largest(handlers: Handlers): number {
  const batches = handlers.flatMap(({ batch }) => batch ?? []);
  return batches.length === 0 ? LARGEST : Math.min(...batches);
}
