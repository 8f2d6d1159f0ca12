import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new key in its three parts. The text is shown once and kept nowhere. */
export interface NewKey {
  /** `fsl_<prefix>_<secret>`. */
  readonly text: string;
  readonly prefix: string;
  readonly sha256: Buffer;
}

const SECRET_BYTES = 32;
const PREFIX_BYTES = 6;
const FORM = /^fsl_([0-9a-f]{12})_[0-9a-f]{64}$/;

/** Makes a key: 256 random bits behind a public prefix by which it is found. */
export function newKey(): NewKey {
  const prefix = randomBytes(PREFIX_BYTES).toString('hex');
  const text = `fsl_${prefix}_${randomBytes(SECRET_BYTES).toString('hex')}`;
  return { text, prefix, sha256: digestOf(text) };
}

/** The public part of a presented key; undefined when it is no key of ours. */
export function prefixOf(presented: string): string | undefined {
  return FORM.exec(presented)?.[1];
}

/** True when the presented key has that digest; takes the same time whatever differs. */
export function matches(presented: string, sha256: Buffer): boolean {
  const digest = digestOf(presented);
  return digest.length === sha256.length && timingSafeEqual(digest, sha256);
}

/** Random keys of 256 bits need no slow hash. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
