/** No limit but that of webhooks: tests send more in a second than people in an hour. Those about limits set their own. */
export const RATE_LIMITS_OFF = {
  RATE_LIMIT_PER_SECOND: '0',
  RATE_LIMIT_PER_MINUTE: '0',
  RATE_LIMIT_PER_HOUR: '0',
  MUTATION_RATE_LIMIT: '0',
  PAYMENT_RATE_LIMIT: '0',
  INITIALIZE_RATE_LIMIT: '0',
  VERIFY_RATE_LIMIT: '0',
  AUTH_RATE_LIMIT: '0',
  AUTH_FAILURE_RATE_LIMIT: '0',
  PUBLIC_READ_RATE_LIMIT: '0',
} as const;
