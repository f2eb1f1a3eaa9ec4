import type { Command } from 'commander';
import type { Settings } from '../settings.js';
import { registerList } from './list.js';
import { registerReplay } from './replay.js';
import { registerShow } from './show.js';

export function registerEvents(events: Command, settings: Settings): void {
  registerList(events, settings);
  registerShow(events, settings);
  registerReplay(events, settings);
}
