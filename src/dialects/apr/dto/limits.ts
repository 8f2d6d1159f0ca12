/** Characters of a name: of a host, a project, a design, an owner, an operator, a label. */
export const LONGEST_NAME = 200;
/** Characters of a path. */
export const LONGEST_PATH = 4_096;
/** Characters of the command that leads to a host. */
export const LONGEST_PREFIX = 1_000;
/** Jobs of one submission: written in one commit, which must not hold up everybody else. */
export const LARGEST_BATCH = 2_000;
/** Jobs of one answer. */
export const LONGEST_LIST = 10_000;
/** Lines of one answer of a log. */
export const LONGEST_TAIL = 10_000;
/** Of any resource: nothing is larger. */
export const MOST_OF_A_RESOURCE = 1_000_000;
/** Seconds of a time limit: a year. */
export const LONGEST_TIMEOUT_SEC = 31_536_000;
/** Of a priority. */
export const LEAST_PRIORITY = -1_000_000;
/** Of a priority. */
export const MOST_PRIORITY = 1_000_000;
/** Retries of a job. */
export const MOST_RETRIES = 100;
