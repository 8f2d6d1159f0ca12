import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { isRoot } from '../../ops/accounts';
import { accountName } from './account';
import { clusterStatus, type ClusterStatus } from './cluster-status';
import { urlOf } from './connection';
import { messageOf } from './embedded-postgres.error';
import { close, launch, type Launched, shutDown, type Stopped } from './launch';
import { DATABASE, HOST } from './layout';
import { RestartBudget } from './restart-budget';
import { settle } from './settle';
import { prepareHome, readPassword, type Site, siteOf } from './site';
import { withStartLock } from './start-lock';

/** How the embedded PostgreSQL is started. */
export interface EmbeddedPostgresOptions {
  /** Where everything of it lies; created if missing. See `defaultDataDir`. */
  readonly dataDir: string;
  /**
   * Account of the operating system that runs it when we are root. Default: the owner of existing
   * data, else `postgres`, else `nobody`.
   */
  readonly user?: string | undefined;
  /** Further `-c` options of the server. They do not change a server that runs already. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** The port to listen on, and no other. Default: the last one if free, else any that is. */
  readonly port?: number | undefined;
  /** Start the server again, on the same port, when it crashes. Default true. */
  readonly restartAfterCrash?: boolean | undefined;
  /** Takes each line that the operator should see. */
  readonly log: (line: string) => void;
}

/**
 * A real PostgreSQL on the loopback address, run from the binaries that npm installed. The server
 * is a process of its own that outlives a `kill -9` of this one; the next start then adopts it.
 * Several processes may use one data directory: they share one server.
 */
export class EmbeddedPostgres {
  readonly host = HOST;
  /** Connection URL of the application's database, password included. */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** Version of the server, as in `18.4`. */
  readonly version: string;
  /** True when the server was running already. */
  readonly adopted: boolean;
  /** The account of the operating system that the server runs as. */
  readonly account: string;

  /** An open connection that says "in use" to others, and tells us when the server is gone. */
  private hold: Client | undefined;
  private readonly leaving = new AbortController();
  private recovery: Promise<void> = Promise.resolve();
  private readonly budget = new RestartBudget();

  private constructor(
    private readonly site: Site,
    private readonly options: EmbeddedPostgresOptions,
    server: Launched,
    password: string,
  ) {
    this.port = server.port;
    this.version = server.version;
    this.adopted = server.adopted;
    this.dataDir = site.layout.home;
    this.account = accountName(site.account);
    this.url = urlOf({ port: server.port, password }, DATABASE);
    this.watch(server.client);
  }

  /**
   * Makes the server of the data directory run, and connects to it: creates what is missing, starts
   * what is stopped, adopts what runs. Takes about 0.2 s, the first time 1 to 3 s.
   *
   * @throws {EmbeddedPostgresError} when that is not possible; the message names the remedy.
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const began = performance.now();
    const site = await siteOf(options.dataDir, options.user, options.log);
    await prepareHome(site);
    if (isRoot()) {
      site.log(
        `running as root, PostgreSQL as "${accountName(site.account)}": good for a trial; ` +
          'give a service an account of its own',
      );
    }
    return withStartLock(site.layout.locks, site.log, async () => {
      const server = await launch(site, { settings: options.settings ?? {}, port: options.port });
      const embedded = new EmbeddedPostgres(site, options, server, await readPassword(site));
      const how = server.adopted ? 'adopted, it was running' : 'started';
      site.log(
        `PostgreSQL ${server.version} (embedded) in ${site.layout.cluster}, ` +
          `port ${server.port}: ${how}, ${Math.round(performance.now() - began)} ms`,
      );
      return embedded;
    });
  }

  /** What the server is doing now. */
  status(): Promise<ClusterStatus> {
    return clusterStatus(this.dataDir);
  }

  /**
   * Stops the server, to be called when every connection of this process is closed. With
   * `unlessUsed` it is left running while another Foresail process (a standby) is connected.
   *
   * @throws {EmbeddedPostgresError} when it does not stop.
   */
  async stop(options: { unlessUsed?: boolean } = {}): Promise<Stopped> {
    await this.release();
    return withStartLock(this.site.layout.locks, this.site.log, () =>
      shutDown(this.site, { unlessUsed: options.unlessUsed ?? false, mode: 'fast' }),
    );
  }

  /** Lets go of the server and leaves it running. */
  async release(): Promise<void> {
    this.leaving.abort();
    await this.recovery;
    const { hold } = this;
    this.hold = undefined;
    if (hold === undefined) return;
    // Else a process with nothing more to do would end before this does.
    hold.ref();
    await close(hold);
  }

  private watch(client: Client): void {
    this.hold = client;
    // Whoever forgets to stop must still be able to exit.
    client.unref();
    client.once('end', () => {
      if (this.hold !== client) return;
      this.hold = undefined;
      this.recovery = this.recover();
    });
  }

  private async recover(): Promise<void> {
    const { log } = this.site;
    for (;;) {
      const pause = this.budget.take(performance.now());
      if (pause === undefined) {
        log(
          'PostgreSQL keeps crashing and is not started again; restart Foresail when it is mended',
        );
        return;
      }
      try {
        await sleep(pause, undefined, { ref: false, signal: this.leaving.signal });
        await withStartLock(this.site.layout.locks, log, () => this.takeBack());
        return;
      } catch (error) {
        if (this.leaving.signal.aborted) return;
        log(messageOf(error));
      }
    }
  }

  /** Connects again, after starting the server again if it crashed; one that was stopped stays so. */
  private async takeBack(): Promise<void> {
    const { log } = this.site;
    let server = await settle(this.site);
    if (server.state === 'stopped') {
      log('PostgreSQL was stopped by somebody else; it stays so until a Foresail process starts');
      return;
    }
    if (server.state === 'crashed') {
      if (this.options.restartAfterCrash === false) return;
      log('PostgreSQL has crashed and is started again');
      server = await launch(this.site, { settings: this.options.settings ?? {}, port: this.port });
    }
    log(`connected to PostgreSQL again, port ${server.port}`);
    this.watch(server.client);
  }
}
