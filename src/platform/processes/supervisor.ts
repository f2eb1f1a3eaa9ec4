import type { LoggerService } from '@nestjs/common';
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, type Topic } from './channel.js';
import { FAILED, READY, type Readiness } from './supervised.js';

export interface SupervisorOptions {
  /** Of the processes, beside this one's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Who has not ended by itself so long after a SIGTERM is killed. */
  readonly stopTimeoutMs: number;
  readonly logger: LoggerService;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** Well within the ten seconds that Prometheus gives a scrape. */
const ANSWER_TIMEOUT_MS = 3000;

/**
 * Runs several processes of this very program that listen on one port (node:cluster). One that ends is replaced; when
 * this process ends, however it ends, so do they. They share the database, and what they ask this process for.
 */
export class Supervisor {
  private readonly serving = new Map<Worker, Channel>();
  private readonly answerers: ((channel: Channel) => void)[] = [];
  private stopping = false;

  constructor(private readonly options: SupervisorOptions) {
    // Each process accepts for itself. Dealt out by this one, a connection on its way to a process that dies is never
    // answered and never closed (Node 20), and while this one stands still none is accepted.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    // This settles the policy as well. "advanced" is the structured clone: JSON has no Infinity.
    cluster.setupPrimary({ serialization: 'advanced' });
  }

  /** Call it before `start`: what the processes may ask this one. */
  answer<Question, Answer>(
    topic: Topic<Question, Answer>,
    answerer: (question: Question) => Answer | Promise<Answer>,
  ): void {
    this.answerers.push((channel) => channel.answer(topic, answerer));
  }

  /**
   * Starts one process, so that what is wrong with all of them is told once, then the others.
   *
   * @throws Error what one of them could not start for; none is left then
   */
  async start(count: number): Promise<Readiness> {
    try {
      const readiness = await this.fork();
      await Promise.all(Array.from({ length: count - 1 }, () => this.fork()));
      return readiness;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** The answers of all processes that serve and answer in time. */
  async askAll<Answer>(topic: Topic<undefined, Answer>): Promise<Answer[]> {
    const answers: Answer[] = [];
    const asked = [...this.serving.values()].map(async (channel) => {
      answers.push(await channel.ask(topic, undefined));
    });
    await Promise.race([Promise.allSettled(asked), sleep(ANSWER_TIMEOUT_MS, undefined, { ref: false })]);
    return answers;
  }

  /** Asks all of them to finish what is in flight. @returns whether all that served ended by themselves and cleanly */
  async stop(): Promise<boolean> {
    this.stopping = true;
    const served = [...this.serving.keys()];
    const children = Object.values(cluster.workers ?? {}).filter(isAlive);
    const ended = Promise.all(children.map((child) => once(child.process, 'exit')));
    const signal = (name: NodeJS.Signals) => children.forEach((child) => child.process.kill(name));
    signal('SIGTERM');
    const lastResort = setTimeout(() => signal('SIGKILL'), this.options.stopTimeoutMs);
    await ended;
    clearTimeout(lastResort);
    return served.every((child) => child.process.exitCode === 0);
  }

  /** Resolves once the new process serves; from then on it is replaced when it ends. */
  private async fork(): Promise<Readiness> {
    const child = cluster.fork(this.options.environment);
    const channel = new Channel(child);
    for (const addTo of this.answerers) addTo(channel);
    // No process was to be had (the binary is gone, a limit reached): without a listener it would end this one.
    child.on('error', (error) => this.options.logger.error({ msg: 'A process has a fault', err: error }));
    const readiness = await untilReady(child, channel);
    this.serving.set(child, channel);
    child.once('exit', (code, signal) => {
      this.serving.delete(child);
      if (this.stopping) return;
      this.options.logger.error({ msg: 'A process ended and is replaced', child: child.process.pid, code, signal });
      void this.replace();
    });
    return readiness;
  }

  /** Waits longer after each start that fails, and not after one that succeeded: a service must not stay away for that. */
  private async replace(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      await sleep(pauseMs);
      if (this.stopping) return;
      try {
        await this.fork();
        return;
      } catch (error) {
        if (this.stopping) return;
        this.options.logger.error({ msg: 'A process could not be replaced yet', err: error });
      }
    }
  }
}

/** @throws Error why it does not start, in its own words where it had any */
function untilReady(child: Worker, channel: Channel): Promise<Readiness> {
  return new Promise((resolve, reject) => {
    channel.answer(READY, resolve);
    channel.answer(FAILED, (reason) => reject(new Error(reason)));
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`A process ended before it was ready: ${signal ?? `exit code ${code}`}.`)),
    );
  });
}

function isAlive(child: Worker | undefined): child is Worker {
  return child?.process.pid !== undefined && !child.isDead();
}
