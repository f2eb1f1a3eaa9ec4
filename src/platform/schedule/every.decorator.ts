import { Reflector } from '@nestjs/core';

export interface TimerOptions {
  /** Unique, for people: the log says it when a round fails, and Nest's `SchedulerRegistry` knows the timer by it. */
  readonly name: string;
  /** `background` work is left to the processes with the role `all` or `worker`. */
  readonly role: 'any' | 'background';
  /** The first round begins with the application, not an interval later. */
  readonly atStart?: boolean;
  /** Goes on while a process that ends waits for what it is working on: it keeps that work ours. */
  readonly whileDraining?: boolean;
  /** A round calls the method with this limit until a call has done less, so that no statement holds locks for long. */
  readonly batch?: number;
}

interface Timer extends TimerOptions {
  intervalMs(owner: object): number;
}

type Marks<Owner, Work> = <Method extends Work>(
  owner: Owner,
  name: string | symbol,
  method: TypedPropertyDescriptor<Method>,
) => void;

/** What `@Every` says of a method. */
export const TIMER = Reflector.createDecorator<Timer>();

/**
 * Runs the method again and again, on every replica, so it must be safe on many at once. In one process a round begins
 * only after the one before; a failed one is logged and made up for by the next; a process that ends waits for it.
 *
 * The method of a provider is given an `AbortSignal` that says when the process is to end; with `batch`, how many it may
 * do at most, and answers how many they were.
 *
 * @param interval milliseconds, or where the provider has them from
 */
export function Every<Owner extends object>(
  interval: number | ((owner: Owner) => number),
  options: TimerOptions & { batch: number },
): Marks<Owner, (limit: number) => Promise<number>>;
export function Every<Owner extends object>(
  interval: number | ((owner: Owner) => number),
  options: TimerOptions & { batch?: never },
): Marks<Owner, (signal: AbortSignal) => unknown>;
export function Every(interval: number | ((owner: object) => number), options: TimerOptions): MethodDecorator {
  return TIMER({ ...options, intervalMs: typeof interval === 'number' ? () => interval : interval });
}
