import type { Command } from 'commander';
import type { Settings } from '../settings.js';
import { registerCreate } from './create.js';
import { registerList } from './list.js';
import { registerRevoke } from './revoke.js';

export function registerKeys(keys: Command, settings: Settings): void {
  registerCreate(keys, settings);
  registerList(keys, settings);
  registerRevoke(keys, settings);
}
