import { EmailLimit } from './email-limit.entity.js';

export { AddressHash } from './address-hash.js';
export { announceEmailLimit } from './email-limit-headers.js';
export { EMAIL_LIMIT_KINDS, type EmailLimitKind } from './email-limit-kind.js';
export type { EmailLimitReading } from './email-limit-reading.js';
export { EmailLimitedError } from './email-limited.error.js';
export { EmailLimits } from './email-limits.js';
export { EmailLimitsModule } from './email-limits.module.js';

/** For the data source. */
export const EMAIL_LIMIT_ENTITIES = [EmailLimit];
