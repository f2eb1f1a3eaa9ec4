import type { Command } from 'commander';

/** Which events; every field narrows. The server checks them. */
export interface EventFilter {
  source?: string;
  status?: string;
  type?: string;
  from?: string;
  to?: string;
}

export function addFilterOptions(command: Command): Command {
  return command
    .option('--source <name>', 'of this source')
    .option('--status <status>', 'PENDING, PROCESSING, PROCESSED, FAILED, DEAD_LETTER or IGNORED')
    .option('--type <type>', 'of this type, exactly')
    .option('--from <time>', 'received at or after, RFC 3339')
    .option('--to <time>', 'received before, RFC 3339');
}

export function filterOf({ source, status, type, from, to }: EventFilter): EventFilter {
  const given = Object.entries({ source, status: status?.toUpperCase(), type, from, to });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}
