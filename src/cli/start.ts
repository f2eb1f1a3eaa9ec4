import type { Command } from 'commander';
import { run } from '../run.js';
import { examples } from './examples.js';
import type { Settings } from './settings.js';

export function registerStart(program: Command, settings: Settings): void {
  program
    .command('start')
    .description('run the server, like node dist/main.js')
    .addHelpText('after', examples('start'))
    .action(() => run(() => settings.config));
}
