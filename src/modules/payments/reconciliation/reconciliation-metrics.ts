import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/metrics/index.js';
import { ProviderDirectory } from '../providers/provider-directory.js';
import { DifferencesRepository } from './differences.repository.js';

/** What reconciliations tell Prometheus. */
@Injectable()
export class ReconciliationMetrics {
  constructor(metrics: Metrics, directory: ProviderDirectory, differences: DifferencesRepository) {
    metrics.gauge(
      'holdfast_reconciliation_differences',
      'Open differences between payments, provider and ledger',
      ['provider'],
      async (gauge) => {
        const open = await differences.openByProvider();
        gauge.reset();
        for (const { name } of directory.all) gauge.set({ provider: name }, 0);
        for (const { provider, open: count } of open) gauge.set({ provider }, count);
      },
    );
  }
}
