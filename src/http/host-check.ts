import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { SchedulerError } from '../core/errors';

/**
 * Builds the check of the `Host` header: a page that rebinds its own DNS name to this machine must
 * not be able to read from us. Accepted are address literals, `localhost`, this machine's name and
 * `allowedHosts`; ports are ignored.
 *
 * @param setBy where `allowedHosts` come from, for the refusal
 * @returns a check that throws {SchedulerError} `forbidden` for any other host
 */
export function hostCheck(
  allowedHosts: readonly string[],
  setBy: string,
): (host: string | undefined) => void {
  const machine = hostname();
  const names = ['localhost', machine, machine.split('.')[0] ?? machine, ...allowedHosts];
  const known = new Set(names.map((name) => name.toLowerCase()));
  return (host) => {
    const name = hostName(host ?? '');
    if (known.has(name) || isIP(name) !== 0) return;
    throw new SchedulerError(
      'forbidden',
      `host ${JSON.stringify(shorten(name))} is not one of ours; ` +
        `allowed are addresses, localhost, the name of the machine and ${setBy}`,
    );
  };
}

/** The name in a `Host` header: without port, without brackets, in lower case. */
function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host);
  if (bracketed !== null) return bracketed[1] ?? '';
  return host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}

function shorten(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}
