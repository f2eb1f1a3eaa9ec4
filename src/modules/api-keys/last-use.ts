import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { Every } from '../../platform/schedule/index.js';
import { ApiKeyRepository } from './api-key.repository.js';

const TICK_MS = 1000;
const INTERVAL_MS = 60_000;

/**
 * Writes when keys were last used, out of the way of requests: a first use within a second, later ones once a minute
 * for each key and replica, all that are due in one statement. A crash loses a minute of it, which nothing rests on.
 */
@Injectable()
export class LastUse implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LastUse.name);
  /** By key id, not yet written: when it was used, on the clock of `performance.now()`. */
  private readonly pending = new Map<string, number>();
  /** By key id: when a write was last tried, on the same clock. */
  private readonly writtenAt = new Map<string, number>();

  constructor(@Inject(ApiKeyRepository) private readonly repository: Pick<ApiKeyRepository, 'recordUse'>) {}

  touch(id: string): void {
    this.pending.set(id, performance.now());
  }

  /** Writes the uses whose key was not written for a minute. Never throws: a failed write is tried a minute later. */
  @Every(TICK_MS, { name: 'last use of API keys', role: 'any' })
  async writeDue(): Promise<void> {
    const now = performance.now();
    for (const [id, at] of this.writtenAt) if (now - at >= INTERVAL_MS) this.writtenAt.delete(id);
    await this.write([...this.pending].filter(([id]) => !this.writtenAt.has(id)));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.write([...this.pending]);
  }

  private async write(uses: [id: string, usedAt: number][]): Promise<void> {
    if (uses.length === 0) return;
    const now = performance.now();
    for (const [id] of uses) {
      this.pending.delete(id);
      this.writtenAt.set(id, now);
    }
    try {
      await this.repository.recordUse(uses.map(([id, usedAt]) => ({ id, msAgo: now - usedAt })));
    } catch (error) {
      this.logger.warn(`The last use of ${uses.length} API keys was not written: ${String(error)}`);
      for (const [id, usedAt] of uses) if (!this.pending.has(id)) this.pending.set(id, usedAt);
    }
  }
}
