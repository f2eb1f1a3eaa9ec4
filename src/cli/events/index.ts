import type { Command } from 'commander';
import type { Settings } from '../settings.js';
import { registerList } from './list.js';
import { registerReplay } from './replay.js';
import { registerShow } from './show.js';

export function registerEvents(program: Command, settings: Settings): void {
  const events = program
    .command('events')
    .description(
      'stored webhook events, over HTTP with the API key of HOLDFAST_API_KEY, BOOTSTRAP_API_KEY or DATA_DIR',
    );
  registerList(events, settings);
  registerShow(events, settings);
  registerReplay(events, settings);
}
