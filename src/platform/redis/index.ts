export { REDIS, REDIS_NODES, type RedisClient, type RedisConnection, RedisModule } from './redis.module.js';
