/** Characters of a host name (RFC 1035). */
export const LONGEST_HOST = 253;

/** A bare host name, or an IPv4 or IPv6 address; no scheme, port, path or brackets. */
export const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/;
/** What that is, in the words of a fault. */
export const HOST_ALLOWED = 'a host name or an IP address, without scheme, port or path';
