/** Text that is not blank and has no control characters. */
export const PRINTABLE = /^(?!\s*$)\P{Cc}+$/u;
/** What is said of a text that is not. */
export const PRINTABLE_RULE = {
  message: '$property must be printable: not blank, without control characters',
};
/** A tag has no control characters. An empty one is none: a list of no tags is often `[""]`. */
export const TAG = /^\P{Cc}*$/u;
/** What is said of a tag that is none. */
export const TAG_RULE = { each: true, message: '$property must have no control characters' };
