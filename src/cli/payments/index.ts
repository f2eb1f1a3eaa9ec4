import type { Command } from 'commander';
import type { Settings } from '../settings.js';
import { registerReconcile } from './reconcile.js';

export function registerPayments(payments: Command, settings: Settings): void {
  registerReconcile(payments, settings);
}
