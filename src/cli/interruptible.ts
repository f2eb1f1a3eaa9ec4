import { CliError } from './cli.error.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Runs `work` such that ctrl-C makes it throw, and whatever its callers have opened is closed in their `finally`. */
export async function interruptible<T>(work: () => Promise<T>): Promise<T> {
  let onSignal: () => void = () => undefined;
  const interrupted = new Promise<never>((_, reject) => {
    onSignal = () => reject(new CliError('Interrupted.'));
  });
  for (const signal of SIGNALS) process.once(signal, onSignal);
  try {
    return await Promise.race([work(), interrupted]);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
