import { EmailLimit } from './email-limit.entity.js';

export type { EmailLimitKind } from './email-limit-kind.js';
export type { EmailLimitReading } from './email-limit-reading.js';
export { EmailLimiter } from './email-limiter.js';
export { EmailLimitsModule } from './email-limits.module.js';
export { rekeyEmailLimits } from './rekey-email-limits.js';

/** For the data source. */
export const EMAIL_LIMIT_ENTITIES = [EmailLimit];
