import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard } from './auth.guard.js';

@Module({})
export class AuthModule {
  /**
   * Puts the `AuthGuard` before every route.
   *
   * @param verification the module that exports the `CredentialVerifier`; given from outside because the platform
   *   knows no module
   */
  static forRoot(verification: Type | DynamicModule): DynamicModule {
    return {
      module: AuthModule,
      imports: [verification],
      providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
    };
  }
}
