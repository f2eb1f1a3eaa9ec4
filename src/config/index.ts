export { CONFIG, type Config, ConfigError, type EnvironmentSecrets, loadConfig } from './config.js';
export { ConfigModule } from './config.module.js';
