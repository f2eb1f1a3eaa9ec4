import { Module } from '@nestjs/common';
import { CredentialVerifier } from '../../platform/auth/index.js';
import { AuditModule } from '../audit/index.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ApiKeyVerifier } from './api-key.verifier.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { BootstrapKeys } from './bootstrap-keys.js';
import { LastUse } from './last-use.js';

@Module({
  imports: [AuditModule],
  controllers: [ApiKeysController],
  providers: [
    ApiKeyRepository,
    ApiKeysService,
    ApiKeyVerifier,
    BootstrapKeys,
    LastUse,
    { provide: CredentialVerifier, useExisting: ApiKeyVerifier },
  ],
  exports: [ApiKeysService, BootstrapKeys, CredentialVerifier],
})
export class ApiKeysModule {}
