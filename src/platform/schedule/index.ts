export { Every } from './every.decorator.js';
export { RepeatingTasks } from './repeating-tasks.js';
export { ScheduleModule } from './schedule.module.js';
