import { createRequire } from 'node:module';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import { jest } from '@jest/globals';

/**
 * `@nestjs/throttler` is CommonJS and requires Nest, which is ES modules. Node can do that, Jest only from Node 24.9 on: it is
 * handed the modules that everybody else has imported. Else it is the package as it is.
 */
jest.doMock('@nestjs/common', () => common);
jest.doMock('@nestjs/core', () => core);

export const {
  getOptionsToken,
  getStorageToken,
  hours,
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  minutes,
  seconds,
  SkipThrottle,
  Throttle,
  ThrottlerGuard,
  ThrottlerModule,
} = createRequire(import.meta.url)('@nestjs/throttler/dist/index.js');
