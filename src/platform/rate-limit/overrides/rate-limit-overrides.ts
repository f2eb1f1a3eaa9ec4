import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Readings } from '../../../kernel/readings.js';
import { Every } from '../../schedule/index.js';
import type { RateLimitOverride } from './rate-limit-override.entity.js';
import { RateLimitOverridesRepository } from './rate-limit-overrides.repository.js';

/** A change made on one replica is known to all others within a second, and a busy database is not asked all the time. */
const REFRESH_MS = 500;

/** Stands for whoever has no override of its own. */
export const EVERYONE = 'everyone';

type ByRule = ReadonlyMap<string, RateLimitOverride>;

/** The overrides in force, in memory, refreshed by a short poll: no request asks the database. */
@Injectable()
export class RateLimitOverrides implements OnModuleInit {
  /** Grows with every change: what was worked out from an older version no longer holds. */
  version = 0;
  private bySubject: ReadonlyMap<string, ByRule> = new Map();
  private shown = '';
  private readonly readings = new Readings();

  constructor(private readonly repository: RateLimitOverridesRepository) {}

  async onModuleInit(): Promise<void> {
    await this.refresh();
  }

  /** By rule; undefined for nearly everybody. */
  of(subject: string): ByRule | undefined {
    return this.bySubject.get(subject);
  }

  /**
   * Reads everything anew; called after each change made here too, so that its author sees it at once. The last known
   * overrides stay in force while the database is away.
   */
  @Every(REFRESH_MS, { name: 'rate limit overrides', role: 'any' })
  async refresh(): Promise<void> {
    const isNewest = this.readings.begin();
    const rows = await this.repository.findAll();
    if (!isNewest()) return;
    const text = JSON.stringify(rows);
    if (text === this.shown) return;
    this.shown = text;
    const bySubject = new Map<string, Map<string, RateLimitOverride>>();
    for (const row of rows) {
      const byRule = bySubject.get(row.subject) ?? new Map<string, RateLimitOverride>();
      bySubject.set(row.subject, byRule.set(row.rule, row));
    }
    this.bySubject = bySubject;
    this.version++;
  }
}
