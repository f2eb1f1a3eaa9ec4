import { Logger } from '@nestjs/common';

/** Work done again and again in the background, never twice at once in this process. */
export class RepeatingTask {
  private readonly logger = new Logger(RepeatingTask.name);
  private running: Promise<void> | undefined;
  private failing = false;
  private readonly stopping = new AbortController();

  /** @param work is given the signal that it is to end, for rounds that go on for long */
  constructor(
    private readonly name: string,
    private readonly work: (signal: AbortSignal) => Promise<unknown>,
  ) {}

  /**
   * Starts a round unless one is under way. Never throws: the next round makes up for a failed one.
   *
   * @returns when the round under way has ended, however it did
   */
  run(): Promise<void> {
    if (this.stopping.signal.aborted) return Promise.resolve();
    return (this.running ??= this.round().finally(() => (this.running = undefined)));
  }

  /** No further round; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async round(): Promise<void> {
    try {
      await this.work(this.stopping.signal);
      if (this.failing) this.logger.log(`${this.name}: works again`);
      this.failing = false;
    } catch (error) {
      // Said once, not every round, for as long as the cause lasts.
      if (!this.failing) this.logger.warn({ msg: `${this.name}: failed and will be tried again`, err: error });
      this.failing = true;
    }
  }
}
