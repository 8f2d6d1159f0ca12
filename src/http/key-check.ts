import type { IncomingMessage } from 'node:http';
import { SchedulerError } from '../core/errors';
import { inNetworks, isLoopback, Network } from '../config/networks';
import type { DialectRoute } from './dialect';

/** The keys that exist. Asked on every request, so both answers should come from memory. */
export interface KeyCheck {
  readonly anyKeyExists: () => boolean;
  /** True for a key that exists and is neither expired nor revoked. */
  verify(presented: string): Promise<boolean> | boolean;
}

/** Nobody has keys of this length; longer ones are refused without looking. */
const MAX_KEY_LENGTH = 512;
const REMEMBERED_ADDRESSES = 4_096;

interface Origin {
  readonly loopback: boolean;
  readonly trusted: boolean;
}

/** Decides who may call which route (RELIABILITY_MODEL, section 10, rule 1). */
export class KeyGate {
  private readonly origins = new Map<string, Origin>();

  constructor(
    private readonly keys: KeyCheck,
    private readonly trusted: readonly Network[],
    private readonly remedy: string,
  ) {}

  /**
   * Lets the request pass or refuses it. A key that is presented must be valid, whoever presents
   * it; without one, loopback passes while no key exists and on `document` routes, and a trusted
   * network passes on `dialect` and `document` routes. The address is the socket's own: forwarding
   * headers are never believed.
   *
   * @returns a promise only when the key has to be looked up
   * @throws {SchedulerError} `unauthenticated`
   */
  check(request: IncomingMessage, access: DialectRoute['access']): Promise<void> | undefined {
    if (access === 'open') return undefined;
    const key = presentedKey(request);
    if (key !== undefined) return this.checkKey(key);
    const origin = this.originOf(request.socket.remoteAddress ?? '');
    if (origin.loopback && (access === 'document' || !this.keys.anyKeyExists())) return undefined;
    if (origin.trusted && access !== 'key') return undefined;
    throw new SchedulerError('unauthenticated', this.remedy);
  }

  private checkKey(key: string): Promise<void> | undefined {
    const valid = key.length > 0 && key.length <= MAX_KEY_LENGTH && this.keys.verify(key);
    if (typeof valid !== 'boolean') return valid.then(refuseInvalid);
    refuseInvalid(valid);
    return undefined;
  }

  private originOf(address: string): Origin {
    const known = this.origins.get(address);
    if (known !== undefined) return known;
    if (this.origins.size >= REMEMBERED_ADDRESSES) this.origins.clear();
    const origin = { loopback: isLoopback(address), trusted: inNetworks(address, this.trusted) };
    this.origins.set(address, origin);
    return origin;
  }
}

function refuseInvalid(valid: boolean): void {
  if (!valid) throw new SchedulerError('unauthenticated', 'the key that was sent is not valid');
}

/** The key in the headers; other authorization schemes than Bearer are not ours and not looked at. */
export function presentedKey(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  const bearer = authorization === undefined ? null : /^Bearer(?: +(.*))?$/i.exec(authorization);
  if (bearer !== null) return bearer[1] ?? '';
  const header = request.headers['x-api-key'];
  return typeof header === 'string' ? header : undefined;
}
