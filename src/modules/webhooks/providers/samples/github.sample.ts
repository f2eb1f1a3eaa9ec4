import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../../kernel/exact-json.js';
import { isoTime, numberFor } from './sample-values.js';

/** @returns the body of a `push`, of a `ping`, or of any other event with just its repository and sender */
export function githubSample(eventType = 'push', eventId: string, timestamp: number) {
  const body: JsonObject = { ...detailsOf(eventType, eventId, timestamp), repository: REPOSITORY, sender: SENDER };
  return { eventType, body };
}

function detailsOf(eventType: string, eventId: string, timestamp: number): JsonObject {
  switch (eventType) {
    case 'push':
      return push(eventId, timestamp);
    case 'ping':
      return ping(eventId, timestamp);
    default:
      return { action: 'created' };
  }
}

function push(eventId: string, timestamp: number): JsonObject {
  const after = createHash('sha1').update(eventId).digest('hex');
  const author = { name: 'The Octocat', email: 'octocat@example.com', username: 'octocat' };
  const commit = {
    id: after,
    message: 'Fix the rounding of refunds',
    timestamp: isoTime(timestamp),
    url: `https://github.com/octocat/hello-world/commit/${after}`,
    author,
    committer: author,
    added: [],
    removed: [],
    modified: ['README.md'],
  };
  return {
    ref: 'refs/heads/main',
    before: '0000000000000000000000000000000000000000',
    after,
    created: false,
    deleted: false,
    forced: false,
    commits: [commit],
    head_commit: commit,
    pusher: { name: 'octocat', email: 'octocat@example.com' },
  };
}

function ping(eventId: string, timestamp: number): JsonObject {
  const hookId = numberFor(eventId, 9);
  return {
    zen: 'Keep it logically awesome.',
    hook_id: hookId,
    hook: {
      type: 'Repository',
      id: hookId,
      name: 'web',
      active: true,
      events: ['push'],
      config: { content_type: 'json', insecure_ssl: '0', url: 'https://example.com/webhooks/github' },
      created_at: isoTime(timestamp),
    },
  };
}

const SENDER = { login: 'octocat', id: 583231, type: 'User', site_admin: false };
const REPOSITORY = {
  id: 1296269,
  name: 'hello-world',
  full_name: 'octocat/hello-world',
  private: false,
  owner: SENDER,
  html_url: 'https://github.com/octocat/hello-world',
  default_branch: 'main',
};
