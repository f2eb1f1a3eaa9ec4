export { RateLimitModule } from './rate-limit.module.js';
export { RateLimiter } from './rate-limiter.js';
export { RateLimitedError } from './rate-limited.error.js';
