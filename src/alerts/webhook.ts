import { CallError, type CallFailure } from '../outgoing/call-error';
import { Connection } from '../outgoing/connection';
import type { AddressRule, Endpoint } from '../outgoing/outgoing-address';
import type { StoredAlert } from '../persistence/alerts.repository';
import { signatureOf } from './webhook-signature';

const CONNECT_MS = 2_000;
const SEND_MS = 10_000;
/** What a receiver answers is of no interest. */
const ANSWER_BYTES = 65_536;
const USUAL_PORT = { http: 80, https: 443 } as const;

/** A webhook that did not take an alert. */
export class WebhookError extends CallError {
  constructor(failure: CallFailure, options?: { cause?: unknown }) {
    super('webhook', failure, options);
    this.name = 'WebhookError';
  }
}

/** What a webhook is made with. */
export interface WebhookOptions {
  readonly url: string;
  readonly secret: string;
  /** What may not be called beyond what never may. */
  readonly addressRule: AddressRule;
}

/** One receiver of alerts. Redirects are not followed: they are failures. */
export class Webhook {
  readonly url: string;
  private readonly connection: Connection;
  private readonly path: string;

  constructor(private readonly options: WebhookOptions) {
    const { url, addressRule } = options;
    this.url = url;
    const { pathname, search } = new URL(url);
    this.path = pathname + search;
    const limits = { connections: 2, connectMs: CONNECT_MS, addressRule };
    this.connection = new Connection(endpointOf(url), WebhookError, limits);
  }

  /**
   * Sends an alert once.
   * @param wallMs when, in Unix ms
   * @throws {WebhookError} unless it was answered with 2xx in time
   */
  async send(alert: StoredAlert, wallMs: number): Promise<void> {
    const body = JSON.stringify(wireAlert(alert));
    const timestamp = String(Math.floor(wallMs / 1_000));
    const headers = {
      'x-foresail-alert': alert.id,
      'x-foresail-timestamp': timestamp,
      'x-foresail-signature': signatureOf(this.options.secret, timestamp, body),
    };
    const bounds = { timeoutMs: SEND_MS, limitBytes: ANSWER_BYTES };
    const request = { method: 'POST', path: this.path, headers, body, ...bounds } as const;
    await this.connection.tell(request, () => undefined);
  }

  /** Ends what is under way. */
  destroy(): Promise<void> {
    return this.connection.destroy();
  }
}

/** Where it is, without what may be a secret: paths and queries of webhooks often are. */
export function shownReceiver(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? origin : `${origin}/…`;
}

/** What a receiver gets. */
function wireAlert({
  id,
  kind,
  subject,
  message,
  raisedAt,
  leftOut,
  details,
}: StoredAlert): object {
  return { id, kind, subject, message, raised_at: raisedAt, left_out: leftOut, details };
}

function endpointOf(url: string): Endpoint {
  const { protocol, hostname, port } = new URL(url);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, scheme, port: port === '' ? USUAL_PORT[scheme] : Number(port) };
}
