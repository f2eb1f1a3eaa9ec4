import type { Connection } from './connection.js';
import type { LoadReport } from './protocol.js';
import type { RequestSource } from '../requests/request-source.js';
import { Tally } from './tally.js';

/** Full speed: each connection sends its next request when the one before is answered. Ends early when none is left. */
export function closedLoop(
  connections: readonly Connection[],
  source: RequestSource,
  seconds: number,
): Promise<LoadReport> {
  return new Promise((resolve) => {
    const tally = new Tally(source);
    const cpu = process.cpuUsage();
    const start = performance.now();
    const deadline = start + seconds * 1000;
    let sent = 0;
    let busy = connections.length;
    for (const connection of connections) keepSending(connection, source.newRequest());

    function keepSending(connection: Connection, request: Buffer): void {
      const now = performance.now();
      if (now >= deadline || sent >= source.count) {
        busy -= 1;
        if (busy === 0) resolve(tally.report(sent, (now - start) / 1000, process.cpuUsage(cpu), null));
        return;
      }
      const index = sent++;
      source.writeInto(request, index);
      connection.send(request, (status, head, body) => {
        tally.answer(index, status, head, body);
        keepSending(connection, request);
      });
    }
  });
}
