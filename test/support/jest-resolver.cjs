const { existsSync } = require('node:fs');
const { join, relative, resolve, sep } = require('node:path');

const root = resolve(__dirname, '../..');

/**
 * Sources import each other by the names they have once compiled, `./x.js`; the tests read `./x.ts`. When coverage is measured they
 * read what was built, like the servers they start, so that both count the same branches (scripts/coverage.mjs).
 */
module.exports = (path, options) => {
  const isOurs =
    path.startsWith('.') && path.endsWith('.js') && !/\/(?:node_modules|dist)\//.test(options.basedir + '/');
  if (!isOurs) return options.defaultResolver(path, options);
  const built = process.env.COVERAGE === 'build' && builtFile(resolve(options.basedir, path));
  return built || options.defaultResolver(path.replace(/js$/, 'ts'), options);
};

function builtFile(file) {
  const place = relative(root, file);
  const built = join(root, 'dist', place);
  return place.startsWith(`src${sep}`) && existsSync(built) ? built : undefined;
}
