export { ClockModule } from './clock.module.js';
export { DatabaseClock } from './database-clock.js';
