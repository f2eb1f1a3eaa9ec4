import { deriveKey } from '../../../../platform/encryption/index.js';

/** What the sandbox's caller authenticates with; others could make charges up. */
export function sandboxApiKey(encryptionKey: Buffer): string {
  return `sk_sandbox_${Buffer.from(deriveKey(encryptionKey, 'holdfast/sandbox-api/v1')).toString('hex')}`;
}

/** What the sandbox signs its webhooks with: Standard Webhooks. */
export function sandboxWebhookSecret(encryptionKey: Buffer): string {
  return `whsec_${Buffer.from(deriveKey(encryptionKey, 'holdfast/sandbox-webhooks/v1')).toString('base64')}`;
}
