import type { Command } from 'commander';
import type { Settings } from '../settings.js';
import { registerRotate } from './rotate.js';

export function registerEncryption(encryption: Command, settings: Settings): void {
  registerRotate(encryption, settings);
}
