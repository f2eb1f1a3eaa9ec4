import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { EmailHash } from './email-hash.js';
import { SecretBox } from './secret-box.js';

@Module({
  providers: [
    EmailHash,
    { provide: SecretBox, inject: [CONFIG], useFactory: (config: Config) => new SecretBox(config.encryptionKey) },
  ],
  exports: [EmailHash, SecretBox],
})
export class EncryptionModule {}
