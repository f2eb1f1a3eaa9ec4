export { atMostEvery } from './at-most-every.js';
export { ALL_METRICS, Metrics, OWN_METRICS, renderTogether } from './metrics.js';
export { MetricsModule } from './metrics.module.js';
