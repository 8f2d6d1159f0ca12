import path from 'node:path';

/** The major version of PostgreSQL whose files this launcher reads and writes. */
export const MAJOR = '18';
/** Superuser of the embedded cluster. */
export const SUPERUSER = 'foresail';
/** Database of the application inside the cluster. */
export const DATABASE = 'foresail';
/** The only address the server listens on. */
export const HOST = '127.0.0.1';

/** Where everything of one embedded PostgreSQL lies. All paths are absolute. */
export interface Layout {
  /** The data directory the operator names. */
  readonly home: string;
  /** The cluster itself (`PGDATA`), 0700. */
  readonly cluster: string;
  /** What the server writes, 0600. */
  readonly log: string;
  /** Password of the superuser, 0600, readable by the process that runs Foresail. */
  readonly password: string;
  /** One file per process that starts or stops the server just now. */
  readonly locks: string;
}

/** The paths below a data directory. */
export function layoutOf(dataDir: string): Layout {
  const home = path.resolve(dataDir);
  return {
    home,
    cluster: path.join(home, `postgres-${MAJOR}`),
    log: path.join(home, 'postgres.log'),
    password: path.join(home, 'password'),
    locks: path.join(home, 'start.lock'),
  };
}
