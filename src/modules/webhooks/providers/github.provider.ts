import { BodySignedProvider } from './body-signed.provider.js';
import { eventIdentity, headerPart } from './event-identity.js';
import { githubSample } from './samples/github.sample.js';
import type { EventIdentity, HmacScheme, IncomingWebhook, OutgoingWebhook } from './webhook-provider.js';

const DELIVERY = 'X-GitHub-Delivery';
const EVENT = 'X-GitHub-Event';

/**
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries. A redelivery keeps its delivery id.
 * Id and event are headers and, as such, not signed.
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

  /** No ordering key: only the repository would fit every event, and it would put all of them in one queue. */
  identify(webhook: IncomingWebhook): EventIdentity {
    return eventIdentity({ id: [headerPart(webhook, DELIVERY)], type: headerPart(webhook, EVENT) });
  }

  protected override identityHeaders({ eventId, eventType }: OutgoingWebhook): Record<string, string> {
    return { [DELIVERY]: eventId, [EVENT]: eventType };
  }
}
