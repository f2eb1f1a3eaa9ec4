export { ObservabilityModule } from './observability.module.js';
export { Readiness } from './readiness.js';
