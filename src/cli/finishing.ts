import { CliError } from './cli.error.js';
import { remark } from './output.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs `work` to its end, and with it whatever it has to clean up, when the user presses ctrl-C. Doing so again ends the
 * process at once.
 *
 * @throws CliError after `work` when it was interrupted, so that nothing follows it
 */
export async function finishing<T>(work: () => Promise<T>): Promise<T> {
  let interrupted = false;
  const onSignal = () => {
    interrupted = true;
    for (const signal of SIGNALS) process.off(signal, onSignal);
    remark('Finishing what is under way; ctrl-C again to stop at once.');
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const result = await work().finally(() => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  });
  if (interrupted) throw new CliError('Interrupted.');
  return result;
}
