/**
 * The `userId` of the API, whoever gave it: 1 to 128 visible ASCII characters, for it goes into URLs and
 * log lines. Those of accounts kept here are UUIDs.
 */
export const USER_ID = /^[\x21-\x7e]{1,128}$/;
