/** Words that make a member secret wherever they stand in its name: `clientSecret`, `api_key`, `card-number`. */
const SECRET_WORD =
  /^(?:.*secrets?|.*passwords?|.*tokens?|.*signatures?|.*api-?keys?|authorization|credentials?|cookies?|passphrases?|passwd|pwd|keys?|cards?.*|pan|cvc|cvv|otp|pin|jwt)$/;

/** Words that say, at the end of the name, that the member only tells about the secret: `secretId`, `keyPrefix`. */
const ABOUT_IT = new Set(['id', 'ids', 'name', 'type', 'count', 'prefix', 'version', 'last4', 'brand', 'at']);

/** True for a name that promises a secret as its value. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  const last = words.at(-1);
  return last !== undefined && !ABOUT_IT.has(last) && words.some((word) => SECRET_WORD.test(word));
}
