export type { Mail } from './mail.js';
export { MAIL_TIMINGS, type MailTimings } from './mail-timings.js';
export { MailModule } from './mail.module.js';
export { MailOutbox } from './mail-outbox.js';
