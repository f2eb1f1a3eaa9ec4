export type { RepeatingTask } from './repeating-task.js';
export { RepeatingTasks } from './repeating-tasks.js';
export { ScheduleModule } from './schedule.module.js';
