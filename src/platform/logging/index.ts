export { JsonLogger, withoutSecrets } from './json-logger.js';
export { loggedPath } from './logged-path.js';
export { PlainLine } from './plain-line.js';
export { logRequests } from './request-log.js';
