import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { assertMayBind } from './config/bind-rule';
import { ConfigError } from './config/config-error';
import type { Config } from './config/config.schema';
import { isSchedulerError } from './core/errors';
import { BATCH_QUEUE } from './core/queue';
import { strategyFor, type StrategyCatalog } from './core/strategy';
import { strategyName, type QueueKey } from './core/units';
import { jobUserOf } from './executors/job-user';
import { ExpressMessages } from './http/express-messages';
import { listenFailure, SCHEDULER_PORT } from './http/listen-failure';
import { applyServerLimits } from './http/server-limits';
import { readInstancesFile } from './instances/instances-file';
import { LeadingApp } from './leading-app';
import { JobPlaces } from './ops/job-places';
import { ownEndpoints } from './ops/own-endpoints';
import { databaseOwner, openDatabase, type Database } from './persistence/database';
import { KeyRing } from './persistence/key-ring';
import { LeadershipLease } from './persistence/leadership-lease';
import { LookupReloader } from './predictions/lookup-reloader';
import { checkPredictor } from './predictions/check-predictor';
import { answerAlive, answerAsStandby, isRead } from './standby';
import { BUILT_IN, StrategyRegistry } from './strategies/strategy.registry';
import { loadStrategies } from './strategies/load-strategies';

/** Why a process does not lead while PostgreSQL is away. */
const NO_DATABASE = 'the database does not answer';
/** How long requests that are being answered may take after a stop was asked for, in ms. */
const DRAIN_MS = 5_000;
/** Pause before leading again after a term that could not begin, in ms. */
const FAILED_TERM_PAUSE_MS = 1_000;

/**
 * The scheduler as a process: one HTTP port, one database, and terms of leadership. While another
 * process leads, this one is a standby that answers 503; every term gets an application of its own.
 */
export class Service {
  private app: LeadingApp | undefined;
  /** Why there is no application now. */
  private because = 'it has only just started';
  private endTerm: (() => void) | undefined;
  private stopping = false;
  private readonly hurry = new AbortController();
  private terms: Promise<void> = Promise.resolve();
  private settle: () => void = () => undefined;
  private readonly settled = new Promise<void>((resolve) => (this.settle = resolve));
  private readonly answering = new Set<ServerResponse>();
  private readonly messages = new ExpressMessages();
  private readonly server: Server;

  private constructor(
    private readonly config: Config,
    private readonly strategies: StrategyCatalog,
    private readonly lookup: LookupReloader,
    private readonly database: Database,
    private readonly keys: KeyRing,
    private readonly lease: LeadershipLease,
    private readonly logger: Logger,
  ) {
    this.server = createServer(this.messages, (request, response) =>
      this.answer(request, response),
    );
    applyServerLimits(this.server);
  }

  /**
   * Opens the database, binds the port and begins to contend for leadership.
   * @throws {InputError} for a wrong file or strategy, or an address that may not be bound
   * @throws {Error} in one clear sentence: no database, a port that is taken
   */
  static async start(config: Config, logger: Logger): Promise<Service> {
    const strategies = catalogOf(config);
    checkSettings(config);
    const lookup = LookupReloader.open(config.predictions.lookupFile, logger);
    const database = await openDatabase(config.database, logger);
    const keys = await KeyRing.open(database.url).catch(afterClosing(database));
    try {
      const [root] = new JobPlaces(config).roots;
      await jobUserOf(config.commands, root, await databaseOwner(config.database));
      const { host, trustedNetworks } = config.server;
      assertMayBind({ host, trustedNetworks, anyKeyExists: keys.anyKeyExists() });
      const { leaseMs, leaseRenewMs, leaseMarginMs } = config.intervals;
      const lease = new LeadershipLease({
        url: database.url,
        leaseMs,
        renewMs: leaseRenewMs,
        marginMs: leaseMarginMs,
        logger,
      });
      const service = new Service(config, strategies, lookup, database, keys, lease, logger);
      await service.listen();
      service.terms = service.contend();
      return service;
    } catch (error) {
      await keys.close();
      return await afterClosing(database)(error);
    }
  }

  /** Where it listens, as in `http://127.0.0.1:8102`. */
  get url(): string {
    const { address, port, family } = this.server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Why this process does not lead, as one clause; undefined while its application is ready. */
  get standsBecause(): string | undefined {
    return this.app ? undefined : this.because;
  }

  /** Resolves when it is known whether this process leads: its application is ready, or it cannot. */
  whenSettled(): Promise<void> {
    return this.settled;
  }

  /** Ends what is under way, gives the lease back and closes everything. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.hurry.abort();
    this.server.close();
    this.app?.sendWaitersAway();
    await this.drain();
    this.endTerm?.();
    await this.terms;
    this.server.closeAllConnections();
    this.lookup.close();
    await this.keys.close();
    await this.database.close();
  }

  private listen(): Promise<void> {
    const { host, port } = this.config.server;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        reject(listenFailure(error, { host, port, setBy: SCHEDULER_PORT }));
      });
      this.server.listen(port, host, resolve);
    });
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/livez' && isRead(request)) {
      answerAlive(response);
      return;
    }
    if (!this.app) {
      answerAsStandby(request, response, this.because);
      return;
    }
    this.answering.add(response);
    response.on('close', () => this.answering.delete(response));
    if (this.stopping) response.setHeader('Connection', 'close');
    this.app.listener(request, response);
  }

  private async drain(): Promise<void> {
    const until = Date.now() + DRAIN_MS;
    while (this.answering.size > 0 && Date.now() < until) await sleep(10);
    this.server.closeIdleConnections();
  }

  /** One term after the other, until the process stops. */
  private async contend(): Promise<void> {
    const { standbyPollMs } = this.config.intervals;
    let told = '';
    while (!this.stopping) {
      const epoch = await this.tryToLead();
      if (epoch !== null) {
        told = '';
        await this.lead(epoch);
        continue;
      }
      if (told !== this.because) this.logger.info(`standing by: ${this.because}`);
      told = this.because;
      this.settle();
      await this.pause(standbyPollMs * (0.8 + 0.4 * Math.random()));
    }
    await this.lease.close();
  }

  /** Cut short when the process stops. */
  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.hurry.signal }).catch(() => undefined);
  }

  private async tryToLead(): Promise<number | null> {
    try {
      const epoch = await this.lease.acquire();
      if (epoch === null) this.because = 'another process leads this database';
      return epoch;
    } catch (error) {
      if (this.because !== NO_DATABASE)
        this.logger.warn({ error, msg: `${NO_DATABASE}; trying again` });
      this.because = NO_DATABASE;
      return null;
    }
  }

  /** One term: from the lease being won to its loss, a defect, or the stop of the process. */
  private async lead(epoch: number): Promise<void> {
    const end = new AbortController();
    const ended = once(end.signal, 'abort');
    this.endTerm = () => end.abort('the process stops');
    this.lease.onLost((reason) => end.abort(reason));
    if (this.stopping) end.abort();
    this.because = 'it takes over, and restores what is live';
    const opening = this.open(epoch, end);
    await ended;
    this.app = undefined;
    this.because = this.stopping ? 'it stops' : `its term ended: ${String(end.signal.reason)}`;
    this.endTerm = undefined;
    if (!this.stopping) this.logger.error(`term ${epoch} ended: ${String(end.signal.reason)}`);
    await this.close(await opening);
    await this.lease.resign();
  }

  /** The application of this term; undefined when it could not be made, which ends the term. */
  private async open(epoch: number, end: AbortController): Promise<LeadingApp | undefined> {
    const began = performance.now();
    const { config, strategies, lookup, logger } = this;
    const term = { epoch, end: (reason: string): void => end.abort(reason) };
    try {
      const databaseUrl = this.database.url;
      const own = await ownEndpoints(this.port, databaseUrl);
      const options = { config, databaseUrl, term, ownEndpoints: own, strategies, lookup, logger };
      const app = await LeadingApp.open(options, this.keys, this.messages);
      if (!end.signal.aborted) this.app = app;
      const tookMs = Math.round(performance.now() - began);
      logger.info({ msg: 'leading', epoch, url: this.url, tookMs });
      return app;
    } catch (error) {
      logger.error({ error, msg: 'the term could not begin' });
      this.because = 'its term could not begin, and it tries again; the log says why';
      this.settle();
      await this.pause(FAILED_TERM_PAUSE_MS);
      end.abort('it could not begin');
      return undefined;
    } finally {
      this.settle();
    }
  }

  private async close(app: LeadingApp | undefined): Promise<void> {
    try {
      await app?.close();
    } catch (error) {
      this.logger.warn({ error, msg: 'the term did not close cleanly' });
    }
  }
}

/**
 * The strategies that may be chosen.
 * @throws {StrategyFileError} {ConfigError} when a default is none of them, or not for its queues
 */
function catalogOf({ scheduling }: Config): StrategyCatalog {
  const custom = loadStrategies(scheduling.strategyFiles);
  const strategies = new StrategyRegistry([...BUILT_IN, ...custom]);
  assertStrategy('FORESAIL_DEFAULT_STRATEGY', null, scheduling.defaultStrategy, strategies);
  assertStrategy('FORESAIL_BATCH_STRATEGY', BATCH_QUEUE, scheduling.batchStrategy, strategies);
  return strategies;
}

/** @throws {ConfigError} */
function assertStrategy(
  setting: string,
  key: QueueKey | null,
  name: string,
  strategies: StrategyCatalog,
): void {
  try {
    strategyFor(key, strategyName(name), strategies);
  } catch (error) {
    if (!isSchedulerError(error, 'unknown_strategy')) throw error;
    throw new ConfigError([{ name: setting, where: 'start', msg: error.message }]);
  }
}

/** What a term will read or call: a wrong file or address stops the start, and nothing is begun. */
function checkSettings({ instances, predictions, server }: Config): void {
  if (instances.instancesFile !== undefined) readInstancesFile(instances.instancesFile);
  const { predictorUrl } = predictions;
  if (predictorUrl !== undefined) checkPredictor(predictorUrl, server.port);
}

/** Closes the database before the failure goes on: nothing must keep the process alive. */
function afterClosing(database: Database): (error: unknown) => Promise<never> {
  return async (error) => {
    await database.close();
    throw error;
  };
}
