export { METRICS, Metrics, renderTogether } from './metrics.js';
export { MetricsModule } from './metrics.module.js';
