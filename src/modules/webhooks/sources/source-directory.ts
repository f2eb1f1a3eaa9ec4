import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { AddressList } from '../../../kernel/address-list.js';
import { Readings } from '../../../kernel/readings.js';
import { SharedLookups } from '../../../kernel/shared-lookups.js';
import { DatabaseClock } from '../../../platform/clock/index.js';
import { SecretBox } from '../../../platform/encryption/index.js';
import { Every } from '../../../platform/schedule/index.js';
import type { SigningSecret } from '../providers/webhook-provider.js';
import { WebhookMetrics } from '../webhook-metrics.js';
import { type SourceRow, SourcesRepository } from './sources.repository.js';
import { secretPlace } from './source-secret.js';

/** A change made on one replica is known to all others within this time (the contract says one second). */
const REFRESH_MS = 500;

/** A source, ready to judge a request without asking the database. */
export interface ActiveSource extends Omit<SourceRow, 'allowedIps' | 'secrets'> {
  /** Null allows every address. */
  allowedIps: AddressList | null;
  /** Those not expired right now. */
  secrets(): SigningSecret[];
}

/** All sources with their opened secrets, in memory, refreshed by a short poll. */
@Injectable()
export class SourceDirectory implements OnModuleInit {
  private readonly logger = new Logger(SourceDirectory.name);
  private sources = new Map<string, ActiveSource>();
  private opened = new Map<string, string>();
  private unreadable = new Set<string>();
  private readonly readings = new Readings();
  /** A source that another replica has just made is not known here yet. */
  private readonly lookups = new SharedLookups<ActiveSource>(async () => {
    await this.refresh();
    return this.sources;
  });

  constructor(
    private readonly repository: SourcesRepository,
    private readonly secretBox: SecretBox,
    private readonly clock: DatabaseClock,
    private readonly metrics: WebhookMetrics,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.refresh();
  }

  find(name: string): ActiveSource | undefined {
    return this.sources.get(name);
  }

  /**
   * The same, and asks the database for one that is not known: at most twenty times a second, whatever is asked for.
   *
   * @throws the database's error, while it is away: there may be such a source
   */
  async lookUp(name: string): Promise<ActiveSource | undefined> {
    return this.find(name) ?? (await this.lookups.get(name)) ?? undefined;
  }

  /**
   * Reads everything anew; called after each change made here too, so that its author sees it at once. The last known
   * sources stay in force while the database is away.
   */
  @Every(REFRESH_MS, { name: 'webhook sources', role: 'any' })
  async refresh(): Promise<void> {
    const isNewest = this.readings.begin();
    const rows = await this.repository.findAll();
    if (!isNewest()) return;
    const opened = new Map<string, string>();
    const sources = new Map<string, ActiveSource>();
    for (const row of rows) {
      sources.set(row.name, this.activate(row, opened));
      this.metrics.know(row.name);
    }
    this.sources = sources;
    this.opened = opened;
  }

  private activate(row: SourceRow, opened: Map<string, string>): ActiveSource {
    const secrets = row.secrets.flatMap(({ id, sealed, expiresAt }) => {
      const value = this.opened.get(id) ?? this.open(id, sealed);
      if (value === undefined) return [];
      opened.set(id, value);
      return [{ id, value, expiresAt: expiresAt?.getTime() ?? Infinity }];
    });
    return {
      ...row,
      allowedIps: row.allowedIps.length > 0 ? AddressList.parse(row.allowedIps) : null,
      secrets: () => {
        const now = this.clock.now();
        return secrets.filter(({ expiresAt }) => expiresAt > now);
      },
    };
  }

  private open(id: string, sealed: Buffer): string | undefined {
    try {
      return this.secretBox.open(sealed, secretPlace(id));
    } catch (error) {
      // Said once per secret, not twice a second: its source answers 401 until ENCRYPTION_KEY is right again.
      if (!this.unreadable.has(id)) this.logger.error((error as Error).message);
      this.unreadable.add(id);
      return undefined;
    }
  }
}
