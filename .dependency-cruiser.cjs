/**
 * The dependency rules of the architecture (see CONTRIBUTING.md). Broken: `npm run deps:validate` names the import.
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    { name: 'migrations-stand-alone', severity: 'error', from: { path: '^migrations' }, to: { path: '^src' } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'kernel-is-pure',
      comment: 'kernel imports only kernel, Node and pure libraries: no Nest, no TypeORM.',
      severity: 'error',
      from: { path: '^src/kernel', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^src/kernel', '^node:', '^[a-z_/]+$', 'node_modules/ipaddr\\.js/'] },
    },
    {
      name: 'config-imports-kernel-only',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^(src/(platform|modules|cli)|migrations)' },
    },
    {
      name: 'platform-knows-no-module',
      severity: 'error',
      from: { path: '^src/platform' },
      to: { path: '^(src/(modules|cli)|migrations)' },
    },
    {
      name: 'modules-through-their-door',
      comment: 'Another module is reached only through its index.ts.',
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/' },
      to: { path: '^src/modules/([^/]+)/', pathNot: ['^src/modules/$1/', '^src/modules/[^/]+/index\\.ts$'] },
    },
    {
      name: 'webhooks-know-no-business',
      comment: 'Business modules register handlers with webhooks, never the other way round.',
      severity: 'error',
      from: { path: '^src/modules/webhooks' },
      to: { path: '^src/modules/(?!webhooks|audit|api-keys)' },
    },
    {
      name: 'audit-knows-nobody',
      severity: 'error',
      from: { path: '^src/modules/audit' },
      to: { path: '^src/modules/(?!audit)' },
    },
    {
      name: 'controllers-see-no-repository',
      severity: 'error',
      from: { path: '\\.(controller|resolver)\\.ts$' },
      to: { path: ['\\.repository\\.ts$', 'node_modules/(@nestjs/)?typeorm'] },
    },
    {
      name: 'provider-sdks-in-adapters',
      severity: 'error',
      from: { path: '^src', pathNot: ['/adapters/', '\\.spec\\.ts$'] },
      to: { path: 'node_modules/(stripe|redlock|nodemailer)/' },
    },
    {
      name: 'ioredis-behind-platform-redis',
      severity: 'error',
      from: { path: '^src', pathNot: ['^src/platform/redis', '/adapters/'] },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'undici-behind-platform-http-client',
      comment: 'What goes out goes through the one client, whose addresses are judged.',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/platform/http-client' },
      to: { path: 'node_modules/undici' },
    },
    { name: 'src-knows-no-test', severity: 'error', from: { path: '^src' }, to: { path: '^(test|bench|examples)/' } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src', pathNot: ['\\.d\\.ts$', '^src/main\\.ts$', '^src/cli/'] },
      to: {},
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared-dependencies',
      severity: 'error',
      from: { path: '^src', pathNot: '\\.(spec|contract)\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      conditionNames: ['import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
