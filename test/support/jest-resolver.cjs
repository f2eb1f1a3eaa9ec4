/** Sources import each other by the names they have once compiled, `./x.js`; the tests read `./x.ts`. */
module.exports = (path, options) => {
  const isOurs =
    path.startsWith('.') && path.endsWith('.js') && !/\/(?:node_modules|dist)\//.test(options.basedir + '/');
  return options.defaultResolver(isOurs ? path.replace(/js$/, 'ts') : path, options);
};
