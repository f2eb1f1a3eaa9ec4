import { withoutSecrets } from './json-logger.js';

/** Somebody may encode what is encoded already; nobody needs to more often. */
const MOST_ENCODINGS = 3;

/**
 * The path of a URL as it may be logged: without its query, which may hold what people should not have put there, and
 * without the parts that hold an e-mail address, in whatever spelling.
 */
export function loggedPath(url: string): string {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  // Most paths have neither: two looks are all that this costs them.
  if (!path.includes('@') && !path.includes('%')) return withoutSecrets(path);
  return withoutSecrets(path.split('/').map(withoutAddress).join('/'));
}

function withoutAddress(part: string): string {
  let text = part;
  for (let encodings = 0; encodings <= MOST_ENCODINGS; encodings++) {
    if (text.normalize('NFKC').includes('@')) return '[redacted]';
    if (!text.includes('%')) return part;
    try {
      text = decodeURIComponent(text);
    } catch {
      return '[redacted]';
    }
  }
  return '[redacted]';
}
