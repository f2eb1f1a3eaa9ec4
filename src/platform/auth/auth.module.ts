import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AuthGuard } from './auth.guard.js';

@Module({})
export class AuthModule {
  /**
   * Provides the `AuthGuard`; the application puts it before every route, ahead of its other guards.
   *
   * @param verification the module that exports the `CredentialVerifier`; given from outside because the platform
   *   knows no module
   */
  static forRoot(verification: Type | DynamicModule): DynamicModule {
    return {
      module: AuthModule,
      imports: [verification],
      providers: [AuthGuard],
      exports: [AuthGuard],
    };
  }
}
