/** Characters of a model's name. */
export const LONGEST_MODEL_NAME = 256;
/** Characters of an id that a client chooses. */
export const LONGEST_CLIENT_ID = 256;
/** Tasks of one batch. */
export const LARGEST_BATCH = 10_000;
/** Tasks of one answer of `/task/all_tasks`. */
export const LONGEST_LIST = 10_000;
/** Characters of an id or name that a worker chooses. */
export const LONGEST_WORKER_ID = 512;
/** Characters of a host name (RFC 1035). */
export const LONGEST_HOST = 253;

/** A bare host name, or an IPv4 or IPv6 address; no scheme, port, path or brackets. */
export const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/;
/** What is allowed there, in the words of a fault. */
export const HOST_MESSAGE =
  '$property must be a host name or an IP address, without scheme, port or path';
