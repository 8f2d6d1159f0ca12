import { duration, integer, list, optionalText } from './setting';

/** What operators are told of. */
export const ALERT_KINDS = ['job_failed', 'job_timed_out', 'host_lost', 'queue_stuck'] as const;
/** One of `ALERT_KINDS`. */
export type AlertKind = (typeof ALERT_KINDS)[number];

/** What operators are told, and where. */
export const ALERT_SETTINGS = {
  urls: list({
    env: 'FORESAIL_ALERT_URLS',
    allowed: 'a list of URLs that begin with http:// or https://, without user and password',
    item: isReceiver,
    secret: true,
    description: 'Webhooks that are told of what needs attention. Needs `FORESAIL_ALERT_SECRET`.',
  }),
  secret: optionalText({
    env: 'FORESAIL_ALERT_SECRET',
    pattern: /^[\x21-\x7e]{16,256}$/,
    allowed: '16 to 256 printable characters without blanks',
    secret: true,
    description: 'Signs what webhooks get, so that a receiver can tell that it is from here.',
  }),
  kinds: list({
    env: 'FORESAIL_ALERT_EVENTS',
    allowed: `a list of ${ALERT_KINDS.join(', ')}`,
    item: (kind) => ALERT_KINDS.some((known) => known === kind),
    description: 'What operators are told of. Empty: all of it.',
  }),
  perMinute: integer({
    env: 'FORESAIL_ALERT_LIMIT',
    unit: 'a minute',
    fallback: 10,
    min: 1,
    max: 1_000,
    description:
      'Alerts of one kind, and half of those of all kinds together. What is left out is counted, ' +
      'and said in the next one.',
  }),
  queueStuckMs: duration({
    env: 'FORESAIL_QUEUE_STUCK_MS',
    fallback: 600_000,
    description: 'How long tasks of a queue may wait while none of it runs, before it is stuck.',
  }),
} as const;

function isReceiver(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}
