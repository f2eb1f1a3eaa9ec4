/** What a sealed signing secret is bound to: a ciphertext copied to another row opens nowhere. */
export function secretPlace(id: string): string {
  return `webhook_source_secrets:${id}`;
}
