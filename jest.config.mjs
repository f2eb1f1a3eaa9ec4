/** ES modules that packages of Fastify require: Node can do that, Jest only from Node 24.9 on. */
const REQUIRED_MODULES = '/node_modules/(?:content-disposition|cookie)/';

/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/test/**/*.spec.ts'],
  // The tests run the ES modules that ship, compiled by SWC (.swcrc): Nest needs the decorators' type metadata.
  extensionsToTreatAsEsm: ['.ts'],
  resolver: '<rootDir>/test/support/jest-resolver.cjs',
  moduleNameMapper: { '^@nestjs/throttler$': '<rootDir>/test/support/throttler.mjs' },
  transform: {
    '\\.ts$': '@swc/jest',
    [REQUIRED_MODULES]: ['@swc/jest', { swcrc: false, module: { type: 'commonjs' } }],
  },
  transformIgnorePatterns: ['/node_modules/(?!(?:content-disposition|cookie)/)'],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  setupFiles: ['<rootDir>/test/support/errors-of-node.mjs'],
  // What is waited for ends the waiting; this only ends what hangs. A busy machine takes 15 s to start one server.
  testTimeout: 120_000,
  // What coverage is measured of counts already (scripts/coverage.mjs).
  coveragePathIgnorePatterns: ['/'],
  testSequencer: '<rootDir>/test/support/slowest-first.mjs',
  maxWorkers: 3,
};
