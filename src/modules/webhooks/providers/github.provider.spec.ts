import { describe, expect, it } from '@jest/globals';
import { GithubProvider } from './github.provider.js';
import { describeWebhookProvider, incomingWebhook, refusalOf } from './webhook-provider.contract.js';

const provider = new GithubProvider();

describeWebhookProvider('GithubProvider', {
  provider,
  keys: [
    { signWith: 'octo-secret-1', verifyWith: 'octo-secret-1' },
    { signWith: 'octo-secret-2', verifyWith: 'octo-secret-2' },
  ],
  signatureHeader: 'X-Hub-Signature-256',
  signsTime: false,
  id: { header: 'X-GitHub-Delivery' },
  type: { header: 'X-GitHub-Event' },
});

describe('GitHub webhooks', () => {
  const body = Buffer.from('Hello, World!');
  const signature = provider.sign({ body, eventId: 'd', eventType: 'push', timestamp: 0 }, 'secret')['X-Hub-Signature-256']; // prettier-ignore
  const verify = (value: string) =>
    provider.verify(incomingWebhook({ 'X-Hub-Signature-256': value }, body), [{ id: 'k', value: 'secret' }]);

  it.each([
    ['without its prefix', signature?.slice('sha256='.length) ?? ''],
    ['with the prefix of the old scheme', signature?.replace('sha256=', 'sha1=') ?? ''],
    ['with the prefix in capitals', signature?.replace('sha256=', 'SHA256=') ?? ''],
  ])('are refused when the signature is %s', (_, value) => {
    expect(refusalOf(() => verify(value))).toMatchObject({ status: 401, reason: 'malformed' });
  });

  it('are not accepted for the SHA-1 signature GitHub also sends', () => {
    const webhook = incomingWebhook({ 'X-Hub-Signature': signature ?? '' }, body);
    expect(refusalOf(() => provider.verify(webhook, [{ id: 'k', value: 'secret' }]))).toMatchObject({
      reason: 'missing',
    });
  });

  it('are named by delivery and event', () => {
    const headers = { 'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958', 'X-GitHub-Event': 'push' };
    expect(provider.identify(incomingWebhook(headers, body))).toEqual({
      eventId: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      eventType: 'push',
      orderingKey: undefined,
      occurredAt: undefined,
    });
  });

  it.each<[string, [string, string][], string | undefined]>([
    ['of a hook', [['X-GitHub-Hook-ID', '212898303']], '212898303'],
    ['of nobody in particular', [], undefined],
    ['of something that is no hook', [['X-GitHub-Hook-ID', '1; DROP']], undefined],
    ['of two hooks', [['X-GitHub-Hook-ID', '1'], ['x-github-hook-id', '2']], undefined], // prettier-ignore
  ])('are %s', (_, headers, hook) => {
    const webhook = incomingWebhook({ 'X-GitHub-Delivery': 'd', 'X-GitHub-Event': 'push' }, body);
    webhook.rawHeaders = [...webhook.rawHeaders, ...headers.flat()];
    expect(provider.identify(webhook)).toEqual({
      eventId: 'd',
      eventType: 'push',
      sender: hook === undefined ? undefined : { header: 'x-github-hook-id', value: hook },
    });
  });

  it('have samples of push, ping and others', () => {
    expect(provider.sample(undefined, 'd1', 0)).toMatchObject({ eventType: 'push', body: { ref: 'refs/heads/main' } });
    expect(provider.sample('ping', 'd1', 0).body).toHaveProperty('zen');
    expect(provider.sample('star', 'd1', 0).body).toMatchObject({ action: 'created', sender: { login: 'octocat' } });
  });
});
