import type { Command } from 'commander';
import { run } from '../run.js';
import { examples } from './examples.js';
import type { Settings } from './settings.js';

export function registerStart(start: Command, settings: Settings): void {
  start.addHelpText('after', examples('start')).action(() => run(() => settings.config));
}
