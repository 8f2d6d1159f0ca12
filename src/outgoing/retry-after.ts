/** Another side may ask for patience, but not for so much that a worker is forgotten. */
const LONGEST_MS = 60_000;

/** `Retry-After` (seconds or an HTTP date) as a bounded number of ms from now; 0 when unreadable. */
export function retryAfterMs(header: string | readonly string[] | undefined): number {
  if (typeof header !== 'string') return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(LONGEST_MS, Math.max(0, ms)) : 0;
}
