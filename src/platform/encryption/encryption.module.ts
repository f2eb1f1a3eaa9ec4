import { Global, Module } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { SecretBox } from './secret-box.js';

@Global()
@Module({
  providers: [
    { provide: SecretBox, inject: [CONFIG], useFactory: (config: Config) => new SecretBox(config.encryptionKey) },
  ],
  exports: [SecretBox],
})
export class EncryptionModule {}
