/** For `@Header(...NO_STORE)` on answers that hold a secret: no cache may keep them (RFC 6749, section 5.1). */
export const NO_STORE = ['cache-control', 'no-store'] as const;
