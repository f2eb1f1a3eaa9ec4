import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { AuditLinesRepository } from './audit-lines.repository.js';
import { AuditLog } from './audit-log.js';
import { AuditReader } from './audit-reader.js';
import { AuditVerifier } from './audit-verifier.js';
import { CheckpointFile } from './checkpoints/checkpoint-file.js';
import { CheckpointRepository } from './checkpoints/checkpoint.repository.js';
import { CheckpointSigner } from './checkpoints/checkpoint-signer.js';
import { AuditSealer } from './sealing/audit-sealer.js';
import { SealBatch } from './sealing/seal-batch.js';
import { SealRepository } from './sealing/seal.repository.js';

/** The append-only, hash-chained record of who did what. */
@Module({
  controllers: [AuditController],
  providers: [
    AuditLog,
    AuditReader,
    AuditLinesRepository,
    AuditVerifier,
    AuditSealer,
    SealBatch,
    SealRepository,
    CheckpointRepository,
    CheckpointSigner,
    CheckpointFile,
  ],
  exports: [AuditLog, AuditVerifier],
})
export class AuditModule {}
