// The load generator, a process of its own so that its CPU time is counted apart. It does what its parent says.
import { closedLoop } from './closed-loop.js';
import { Connection } from './connection.js';
import { openLoop } from './open-loop.js';
import type { Command, Reply, Target } from './protocol.js';
import { makeRequests } from '../requests/recipe.js';
import type { RequestSource } from '../requests/request-source.js';

const target: Target = JSON.parse(process.argv[2] ?? '');
const { host, hostname, port } = new URL(target.url);
let source: RequestSource | undefined;

process.on('message', (command: Command) => {
  run(command).then(
    (reply) => process.send?.(reply),
    (error: Error) => process.send?.({ failed: error.message } satisfies Reply),
  );
});

async function run(command: Command): Promise<Reply> {
  if (command.do === 'prepare') {
    source = makeRequests(command.recipe, host);
    return { ok: 'prepared' };
  }
  if (!source) throw new Error('There is nothing to send yet');
  let giveUp: (reason: Error) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => (giveUp = reject));
  const opened = Array.from({ length: target.connections }, () =>
    Connection.open(hostname, Number(port), (reason) => giveUp(new Error(`A connection broke: ${reason}`))),
  );
  const connections = await Promise.all(opened);
  try {
    const sending =
      command.do === 'closed loop'
        ? closedLoop(connections, source, command.seconds)
        : openLoop(connections, source, command.seconds, command.rate);
    return { ok: 'sent', report: await Promise.race([sending, broken]) };
  } finally {
    for (const connection of connections) connection.close();
  }
}
