import { AuditCheckpointEntity } from './audit-checkpoint.entity.js';
import { AuditLineEntity } from './audit-line.entity.js';

export { AuditLog } from './audit-log.js';
export type { AuditLine } from './audit-line.js';
export { AuditModule } from './audit.module.js';
export { type AuditVerification, AuditVerifier } from './audit-verifier.js';
export { auditDetails } from './redact-details.js';

export const AUDIT_ENTITIES = [AuditLineEntity, AuditCheckpointEntity];
