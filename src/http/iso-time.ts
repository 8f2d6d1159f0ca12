const ISO_TIME = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/**
 * Unix ms of a date or a time in ISO 8601; a date is midnight in UTC, a time without a zone is
 * local. NaN for anything else, and for a day that its month does not have: `Date.parse` takes
 * "12" for a month, and 31 February for one in March.
 */
export function isoTime(text: string): number {
  const date = ISO_TIME.exec(text)?.[1];
  if (date === undefined) return Number.NaN;
  const midnight = new Date(date);
  const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
  return exists ? Date.parse(text) : Number.NaN;
}
