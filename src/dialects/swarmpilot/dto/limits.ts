/** Characters of an id that a client chooses. */
export const LONGEST_CLIENT_ID = 256;
/** Tasks of one batch. */
export const LARGEST_BATCH = 10_000;
/** Tasks of one answer of `/task/all_tasks`. */
export const LONGEST_LIST = 10_000;
/** Characters of an id or name that a worker chooses. */
export const LONGEST_WORKER_ID = 512;
