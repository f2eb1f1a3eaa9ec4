export { CONFIG, type Config, ConfigError, type EnvironmentSecrets, loadConfig } from './config.js';
export { MAX_EMAIL_LIMIT, RATE_LIMIT_RULES, type RateLimitRuleName } from './config.schema.js';
export { ConfigModule } from './config.module.js';
