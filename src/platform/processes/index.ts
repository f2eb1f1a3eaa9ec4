export { Channel, type Topic } from './channel.js';
export { FAILED, READY, type Readiness, SUPERVISOR } from './supervised.js';
export { Supervisor } from './supervisor.js';
