import { Injectable, type OnModuleInit } from '@nestjs/common';
import { performance } from 'node:perf_hooks';
import { DataSource } from 'typeorm';
import { Every } from '../schedule/index.js';

/** Often enough that drift between two machines' clocks stays far below the second. */
const RESYNC_MS = 30_000;
const MAX_ROUND_TRIP_MS = 1000;

/**
 * The database's time without a round trip: its clock as last read, carried on by this process's monotonic clock. So
 * every replica agrees, and setting a machine's clock changes nothing. For windows of seconds; leases and expiries are
 * decided in SQL.
 */
@Injectable()
export class DatabaseClock implements OnModuleInit {
  /** Database unix milliseconds minus `performance.now()`. */
  private offset: number | undefined;

  constructor(private readonly dataSource: DataSource) {}

  async onModuleInit(): Promise<void> {
    await this.synchronize();
  }

  /** Unix milliseconds. */
  now(): number {
    if (this.offset === undefined) throw new Error('DatabaseClock.now() was called before the module was initialised');
    return performance.now() + this.offset;
  }

  /** While the database is away the last reading is carried on. */
  @Every(RESYNC_MS, { name: 'database clock', role: 'any' })
  async synchronize(): Promise<void> {
    const sent = performance.now();
    const [row] = await this.dataSource.query<{ now: number }[]>(
      `SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now`,
    );
    const took = performance.now() - sent;
    // A slow answer says little about when it was made; the last good one is carried on.
    if (!row || (took > MAX_ROUND_TRIP_MS && this.offset !== undefined)) return;
    // The reading was made about half-way between the question and the answer.
    this.offset = row.now - (sent + performance.now()) / 2;
  }
}
