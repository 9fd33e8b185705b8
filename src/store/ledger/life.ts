/** For how long an object is known: an authorisation waits for its capture for a week at most, and some hours. */
export const KNOWN_MS = 8 * 24 * 3600 * 1000;

/** Records, and objects, that one purge forgets at most: a call may be waiting for the same lock. */
export const PURGED_MAX = 1000;
