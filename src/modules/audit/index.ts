import { AuditLine } from './audit-line.entity.js';
import { AuditCheckpoint } from './checkpoints/audit-checkpoint.entity.js';
import { AuditFormerKey } from './checkpoints/audit-former-key.entity.js';

export { AuditLog, type NewAuditLine } from './audit-log.js';
export { AuditModule } from './audit.module.js';
export { AuditVerifier } from './audit-verifier.js';
export { vouchForFormerKey } from './checkpoints/key-succession.js';
export type { AuditVerificationDto as AuditVerification } from './dto/audit-verification.dto.js';

export const AUDIT_ENTITIES = [AuditLine, AuditCheckpoint, AuditFormerKey];
