import type { Command } from 'commander';
import type { Settings } from '../settings.js';
import { registerCreate } from './create.js';
import { registerList } from './list.js';
import { registerRevoke } from './revoke.js';

export function registerKeys(program: Command, settings: Settings): void {
  const keys = program.command('keys').description('API keys, in the database itself');
  registerCreate(keys, settings);
  registerList(keys, settings);
  registerRevoke(keys, settings);
}
