export { type BodyLimits, installBodyParser, RAW_BODY, refuseNul } from './body-parser.js';
export { answerClientError } from './client-error.js';
export { IsTimestamp } from './is-timestamp.decorator.js';
export { PageQueryDto } from './page.dto.js';
export { type Problem, toProblem } from './problem.js';
export { ProblemFilter } from './problem.filter.js';
export { requestId } from './request-id.js';
export { serializeJson } from './serialize-json.js';
export { validationPipe } from './validation.pipe.js';
