import type { ClientConfig } from 'pg';

/** How long a connection may take to come up, in ms. */
export const CONNECT_MS = 5_000;

/**
 * Settings of every connection (RELIABILITY_MODEL, section 8). The server ends statements and
 * transactions that hang; `query_timeout` is the client's own limit, because a half-open socket
 * gives no error.
 * @param name what the connection is for, as it shows in `pg_stat_activity` behind `foresail-`
 */
export function connectionSettings(url: string, name: string): ClientConfig {
  return { connectionString: url, ...sessionSettings(name) };
}

/** The same without the address, for a pool that has it already. */
export function sessionSettings(name: string): ClientConfig {
  return {
    application_name: applicationName(name),
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: 5_000,
    lock_timeout: 2_000,
    idle_in_transaction_session_timeout: 10_000,
    query_timeout: 8_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** The launcher of the embedded server counts connections by the beginning of this name. */
export function applicationName(name: string): string {
  return name.startsWith('foresail') ? name : `foresail-${name}`;
}
