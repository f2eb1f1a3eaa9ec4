import { explainError } from './explain-error.js';
import { createProgram } from './program.js';
import { Settings } from './settings.js';

// `| head` closes the pipe when it has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const program = await createProgram(new Settings(process.env), process.argv.slice(2));
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${explainError(error)}\n`, () => process.exit(1));
}
