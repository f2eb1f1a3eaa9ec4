export { Channel } from './channel.js';
export { FAILED, PARENT, READY, type Readiness } from './parent.js';
export { Supervisor } from './supervisor.js';
