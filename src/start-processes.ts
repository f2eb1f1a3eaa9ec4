import type { Config } from './config/index.js';
import type { JsonLogger } from './platform/logging/index.js';
import { ALL_METRICS, atMostEvery, OWN_METRICS, renderTogether } from './platform/metrics/index.js';
import { Supervisor } from './platform/processes/index.js';
import { answerLimits, LIMITS } from './platform/rate-limit/index.js';
import { openMigratedDatabase, type RunningServer } from './start-server.js';

/** For what a server does after its requests; leaves time for the database before the last resort of `run`. */
const STOP_GRACE_MS = 10_000;

/**
 * Starts the database and `PROCESSES` servers on one port. This process answers no requests itself: it replaces those
 * that end, counts their limits together and sums their metrics up.
 *
 * @throws Error with one line on how to mend it
 */
export async function startProcesses(config: Config, logger: JsonLogger): Promise<RunningServer> {
  const database = await openMigratedDatabase(config, logger);
  const supervisor = new Supervisor({
    environment: { DATABASE_URL: database.url },
    stopTimeoutMs: config.SHUTDOWN_TIMEOUT_MS + STOP_GRACE_MS,
    logger,
  });
  supervisor.answer(LIMITS, answerLimits());
  const metrics = atMostEvery(config.METRICS_MAX_AGE_MS, async () =>
    renderTogether(await supervisor.askAll(OWN_METRICS)),
  );
  supervisor.answer(ALL_METRICS, metrics);
  try {
    const { url, adminKey } = await supervisor.start(config.PROCESSES);
    const stop = async () => {
      const isClean = await supervisor.stop();
      await database.stop();
      if (!isClean) throw new Error('Not every process ended cleanly.');
    };
    return { url, embeddedDatabase: database.embedded, adminKey, stop };
  } catch (error) {
    await database.stop();
    throw error;
  }
}
