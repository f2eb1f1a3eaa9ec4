import type { Recipe } from '../requests/recipe.js';

/** What the load generator is told, one command at a time; it answers each with one `Reply`. */
export type Command =
  /** Make these requests, before any clock runs. */
  | { do: 'prepare'; recipe: Recipe }
  /** Send as fast as the answers come, one request per connection at a time. */
  | { do: 'closed loop'; seconds: number }
  /** Send at a fixed rate, whatever the answers take. */
  | { do: 'open loop'; seconds: number; rate: number };

export type Reply = { ok: 'prepared' } | { ok: 'sent'; report: LoadReport } | { failed: string };

export interface LoadReport {
  /** Requests sent, which are the first `sent` of what was prepared. */
  sent: number;
  /** Right answers. */
  accepted: number;
  /** Everything else by what it was, with one example each. */
  errors: Record<string, { count: number; example: string }>;
  /** From the first request to the last answer. */
  seconds: number;
  /** Of the generator, over those seconds. */
  cpuSeconds: number;
  /** Milliseconds from when a request was due to be sent to its answer; open loop only. */
  latency: { p50: number; p99: number } | null;
}

export interface Target {
  url: string;
  connections: number;
}
