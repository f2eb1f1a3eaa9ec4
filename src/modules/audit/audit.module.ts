import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { AuditLog } from './audit-log.js';
import { AuditSealer } from './audit-sealer.js';
import { AuditTrail } from './audit-trail.js';
import { AuditVerifier } from './audit-verifier.js';
import { CheckpointFile } from './checkpoint-file.js';
import { CheckpointRepository } from './checkpoint.repository.js';
import { CheckpointSigner } from './checkpoint-signer.js';
import { SealBatch } from './seal-batch.js';
import { SealRepository } from './seal.repository.js';

/** The append-only, hash-chained record of who did what. */
@Module({
  controllers: [AuditController],
  providers: [
    AuditLog,
    AuditTrail,
    AuditSealer,
    AuditVerifier,
    SealBatch,
    SealRepository,
    CheckpointRepository,
    CheckpointSigner,
    CheckpointFile,
  ],
  exports: [AuditLog, AuditVerifier],
})
export class AuditModule {}
