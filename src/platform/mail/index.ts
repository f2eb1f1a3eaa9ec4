export type { Mail } from './mail.js';
export { MAIL_PATIENCE, type MailPatience } from './mail-patience.js';
export { MailModule } from './mail.module.js';
export { MailOutbox } from './mail-outbox.js';
