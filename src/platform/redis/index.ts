export { REDIS, type RedisClient, type RedisConnection, RedisModule } from './redis.module.js';
