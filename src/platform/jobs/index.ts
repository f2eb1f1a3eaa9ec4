import { JOB_PAYLOADS, JobRow } from './job-row.entity.js';

export type { Job, JobOptions, JobPayload, NewJob } from './job.js';
export { JobGivenUpError } from './job.errors.js';
export { JOB_TIMINGS, type JobTimings } from './job-timings.js';
export { Jobs } from './jobs.js';
export { JobsModule } from './jobs.module.js';

export const JOB_ENTITIES = [JobRow];

/** For a rotation of the encryption key. */
export const JOB_SEALED_COLUMNS = [JOB_PAYLOADS];
