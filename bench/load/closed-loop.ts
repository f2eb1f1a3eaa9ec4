import type { Connection } from './connection.js';
import type { LoadReport } from './protocol.js';
import type { SignedEvents } from './signed-events.js';
import { Tally } from './tally.js';

/** Full speed: each connection sends its next event when the one before is answered. Ends early when no event is left. */
export function closedLoop(
  connections: readonly Connection[],
  events: SignedEvents,
  seconds: number,
  tally: Tally,
): Promise<LoadReport> {
  return new Promise((resolve) => {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const deadline = start + seconds * 1000;
    let sent = 0;
    let busy = connections.length;
    for (const connection of connections) keepSending(connection, events.newRequest());

    function keepSending(connection: Connection, request: Buffer): void {
      const now = performance.now();
      if (now >= deadline || sent >= events.count) {
        busy -= 1;
        if (busy === 0) resolve(tally.report(sent, (now - start) / 1000, process.cpuUsage(cpu), null));
        return;
      }
      events.writeInto(request, sent);
      sent += 1;
      connection.send(request, (status, body) => {
        tally.answer(status, body);
        keepSending(connection, request);
      });
    }
  });
}
