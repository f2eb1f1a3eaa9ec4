import { type Command, CommanderError } from 'commander';
import { explainError } from '../../src/cli/explain-error.js';
import { createProgram } from '../../src/cli/program.js';
import { Settings } from '../../src/cli/settings.js';

/** How a command ended. */
export interface Ended {
  code: number | string | null;
  stdout: string;
  stderr: string;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs the command line in this process, one command after the other: a process of its own would take a second and a half
 * for each, most of it to load Nest.
 *
 * @param environment all of it; nothing of this process gets through
 */
export function runCommandLine(args: readonly string[], environment: Record<string, string>): Promise<Ended> {
  const ended = last.then(() => run(args, environment));
  last = ended.catch(() => undefined);
  return ended;
}

async function run(args: readonly string[], environment: Record<string, string>): Promise<Ended> {
  const out = { stdout: '', stderr: '' };
  const release = [capture('stdout', out), capture('stderr', out)];
  try {
    const program = await createProgram(new Settings(environment), args);
    throwInsteadOfExit(program);
    await program.parseAsync(args, { from: 'user' });
    return { ...out, code: process.exitCode ?? 0 };
  } catch (error) {
    if (error instanceof CommanderError) return { ...out, code: error.exitCode };
    return { ...out, stderr: `${out.stderr}${explainError(error)}\n`, code: 1 };
  } finally {
    for (const each of release) each();
    // The command sets it; the tests' own process must not end with it.
    process.exitCode = undefined;
  }
}

/** Not inherited by the commands that are there already. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const each of command.commands) throwInsteadOfExit(each);
}

function capture(name: 'stdout' | 'stderr', out: Record<'stdout' | 'stderr', string>): () => void {
  const stream = process[name];
  const { write } = stream;
  stream.write = (text: string | Uint8Array, ...rest: unknown[]) => {
    out[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
  return () => (stream.write = write);
}
