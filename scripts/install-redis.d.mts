/** Path or name of a redis-server that runs here. @throws Error that says how to get one */
export function redisServer(): string;
