/**
 * The text as messages and text columns can hold it: control characters other than line breaks and
 * tabs, and halves of characters, become U+FFFD.
 */
export function printable(text: string): string {
  return text.replace(/\p{Surrogate}|(?![\n\r\t])\p{Cc}/gu, '\uFFFD');
}
