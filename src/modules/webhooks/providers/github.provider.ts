import { BodySignedProvider } from './body-signed.provider.js';
import { eventIdentity, headerPart } from './event-identity.js';
import { headerValues } from './request-header.js';
import { githubSample } from './samples/github.sample.js';
import type { EventIdentity, HmacScheme, IncomingWebhook, OutgoingWebhook } from './webhook-provider.js';

const DELIVERY = 'X-GitHub-Delivery';
const EVENT = 'X-GitHub-Event';

const HOOK = 'x-github-hook-id';
const HOOK_ID = /^\d{1,20}$/;

/**
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries. A redelivery keeps its delivery id.
 * The delivery id is the event's: the hooks of a repository, its organization and each App all send it, each with what it
 * makes of the event (an App's body says which installation). Equal bodies are one event; different ones of different hooks
 * are one event each.
 *
 * Id, event and hook are headers and, as such, not signed. Whoever has recorded a signed body can have it run again under a
 * new delivery id; another hook's id gives them nothing more.
 */
export class GithubProvider extends BodySignedProvider {
  readonly name = 'github';
  protected readonly scheme: HmacScheme = {
    signatureHeader: 'X-Hub-Signature-256',
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: 'sha256=',
    template: '{body}',
  };
  readonly sample = githubSample;
  /**
   * 25 MB at most, and an event with more is not sent (https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap);
   * one that is refused is not sent again.
   */
  readonly maxBodyBytes = 25 * 1024 * 1024;

  /** No ordering key: only the repository would fit every event, and it would put all of them in one queue. */
  identify(webhook: IncomingWebhook): EventIdentity {
    const identity = eventIdentity({ id: [headerPart(webhook, DELIVERY)], type: headerPart(webhook, EVENT) });
    const [hook = '', ...others] = headerValues(webhook, HOOK);
    if (others.length > 0 || !HOOK_ID.test(hook)) return identity;
    return { ...identity, sender: { header: HOOK, value: hook } };
  }

  protected override identityHeaders({ eventId, eventType }: OutgoingWebhook): Record<string, string> {
    return { [DELIVERY]: eventId, [EVENT]: eventType };
  }
}
