import { percentile } from '../statistics.js';
import type { Connection } from './connection.js';
import type { LoadReport } from './protocol.js';
import type { RequestSource } from '../requests/request-source.js';
import { Tally } from './tally.js';

/**
 * A fixed rate, as from senders that do not know of each other. Latency counts from when a request was due, so that a
 * server that stalls cannot hide it by holding back the requests that would have seen it.
 *
 * @param rate requests per second
 */
export function openLoop(
  connections: readonly Connection[],
  source: RequestSource,
  seconds: number,
  rate: number,
): Promise<LoadReport> {
  return new Promise((resolve) => {
    const tally = new Tally(source);
    const total = Math.max(1, Math.min(source.count, Math.floor(seconds * rate)));
    const latencies = new Float64Array(total);
    const idle = connections.map((connection) => ({ connection, request: source.newRequest() }));
    const cpu = process.cpuUsage();
    const start = performance.now();
    const dueAt = (index: number) => start + (index * 1000) / rate;
    let sent = 0;
    let answered = 0;
    sendDue();
    // Node's shortest timer: requests leave up to a millisecond late, and their latency has it in it.
    const timer = setInterval(sendDue, 1);

    function sendDue(): void {
      const now = performance.now();
      while (sent < total && dueAt(sent) <= now) {
        const free = idle.pop();
        if (!free) return;
        send(free, sent);
        sent += 1;
      }
    }

    function send(free: { connection: Connection; request: Buffer }, index: number): void {
      source.writeInto(free.request, index);
      free.connection.send(free.request, (status, head, body) => {
        const now = performance.now();
        tally.answer(index, status, head, body);
        latencies[index] = now - dueAt(index);
        idle.push(free);
        answered += 1;
        if (answered < total) return sendDue();
        clearInterval(timer);
        const latency = { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
        resolve(tally.report(sent, (now - start) / 1000, process.cpuUsage(cpu), latency));
      });
    }
  });
}
