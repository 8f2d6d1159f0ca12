/** Characters of a worker's id, and of its address. */
export const LONGEST_NAME = 255;
/** Characters of a task's id. */
export const LONGEST_TASK_ID = 256;
/** Tags of one worker, or of one task. */
export const MOST_TAGS = 256;
/** Characters of a tag. */
export const LONGEST_TAG = 128;
/** Task ids of one heartbeat. */
export const MOST_TASK_IDS = 10_000;
/** Tasks that a worker may have. */
export const MOST_TASKS = 1_000_000;
/** Of any resource: nothing is larger. */
export const MOST_OF_A_RESOURCE = 1_000_000;
/** Unix seconds at the end of the year 9999: what is above is in ms. */
export const LATEST_TIMESTAMP = 253_402_300_799;
/** Of a priority. */
export const LEAST_PRIORITY = -1_000;
/** Of a priority. */
export const MOST_PRIORITY = 1_000;
/** How long a task may wait in line, in ms. */
export const LONGEST_WAIT_MS = 300_000;
