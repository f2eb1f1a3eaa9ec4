import type { ApiKeyLimits } from './api-key.entity.js';

const MAX_REMEMBERED = 1000;

/**
 * One object for all limits that say the same. What is worked out from a key's limits is kept for as long as they are the
 * same object, and they are read anew twice a second, by each of the keys that share them.
 */
export class SameLimits {
  private readonly known = new Map<string, ApiKeyLimits>();

  /** @param limits as the database gives them: jsonb has its names in one order */
  of(limits: ApiKeyLimits | null): ApiKeyLimits | null {
    if (limits === null) return null;
    const text = JSON.stringify(limits);
    const known = this.known.get(text);
    if (known !== undefined) return known;
    if (this.known.size >= MAX_REMEMBERED) this.known.clear();
    this.known.set(text, limits);
    return limits;
  }
}
