import { Logger } from '@nestjs/common';

/** Work done again and again in the background, never twice at once in this process. */
export class RepeatingTask {
  private readonly logger = new Logger(RepeatingTask.name);
  private running: Promise<void> | undefined;
  private failing = false;
  private stopped = false;

  constructor(
    private readonly name: string,
    private readonly work: (task: RepeatingTask) => Promise<unknown>,
  ) {}

  /** A round that goes on for long looks whether it should. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /**
   * Starts a round unless one is under way. Never throws: the next round makes up for a failed one.
   *
   * @returns when the round under way has ended, however it did
   */
  run(): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return (this.running ??= this.round().finally(() => (this.running = undefined)));
  }

  /** No further round; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async round(): Promise<void> {
    try {
      await this.work(this);
      if (this.failing) this.logger.log(`${this.name}: works again`);
      this.failing = false;
    } catch (error) {
      // Said once, not every round, for as long as the cause lasts.
      if (!this.failing) this.logger.warn({ msg: `${this.name}: failed and will be tried again`, err: error });
      this.failing = true;
    }
  }
}
