import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import type { Express } from 'express';
import type { RequestListener } from 'node:http';
import { AppModule, DIALECTS, type TermOptions, type TermStore } from './app.module';
import { APR_BODY_LIMITS } from './dialects/apr/apr.dialect';
import { DTASK_BODY_LIMITS } from './dialects/dtask/dtask.dialect';
import { swarmpilotBodyLimits } from './dialects/swarmpilot/swarmpilot.dialect';
import type { Config } from './config/config.schema';
import { configureHttp, type HttpOptions } from './http/configure-http';
import type { ExpressMessages } from './http/express-messages';
import { openFrontDoor } from './http/front-door-listener';
import { HttpMetrics } from './http/http-metrics';
import type { KeyCheck } from './http/key-check';
import { serveOpenApi } from './http/openapi';
import { createDataSource } from './persistence/data-source';
import { TaskJournal } from './persistence/task-journal';
import { WaitingClients } from './placements/waiting-clients';
import { Dispatcher } from './queues/dispatcher';

/** The application of one term: made when the lease is won, gone when the term ends. */
export class LeadingApp {
  /** Answers requests, and counts them. */
  readonly listener: RequestListener;

  private constructor(
    private readonly app: NestExpressApplication,
    private readonly journal: TaskJournal,
    entrance: RequestListener,
  ) {
    const metrics = app.get(HttpMetrics);
    this.listener = (request, response) => {
      metrics.watch(request, response);
      entrance(request, response);
    };
  }

  /**
   * Restores the fleet from the rows and is ready to serve when it resolves. When it does not,
   * nothing of it is left open.
   * @param messages of the server whose requests it will answer
   */
  static async open(
    options: TermOptions,
    keys: KeyCheck,
    messages: ExpressMessages,
  ): Promise<LeadingApp> {
    const store = storeOf(options);
    let app: NestExpressApplication | undefined;
    try {
      await store.journal.start();
      const http = httpOptions(options.config, keys);
      app = await createApp(options, store, http);
      await app.init();
      app.useLogger(app.get(Logger));
      const express = app.getHttpAdapter().getInstance() as Express & RequestListener;
      messages.adopt(express);
      const entrance = options.config.server.frontDoor ? openFrontDoor(app, http) : express;
      return new LeadingApp(app, store.journal, entrance);
    } catch (error) {
      await store.journal.stop();
      await app?.close();
      if (store.dataSource.isInitialized) await store.dataSource.destroy();
      throw error;
    }
  }

  /** Clients that wait for a worker are told to ask again: nobody need wait for them. */
  sendWaitersAway(): void {
    this.app.get(WaitingClients, { strict: false }).sendAway();
  }

  /** Stops placing and sending, waits for what is under way, and writes what is not written. */
  async close(): Promise<void> {
    await this.app.get(Dispatcher).stop();
    await this.journal.stop();
    await this.app.close();
  }
}

/** The store of a term, not yet connected. When rows and memory disagree it ends the term. */
export function storeOf({ config, databaseUrl, term, logger }: TermOptions): TermStore {
  const dataSource = createDataSource(databaseUrl);
  const journal = new TaskJournal({
    url: databaseUrl,
    epoch: term.epoch,
    limits: { maxBufferedRows: config.limits.journalBuffer },
    logger,
    onEpochLost: () => term.end('another process has begun a term'),
    onMismatch: (rows) => {
      logger.error({ msg: 'memory and rows disagree', rows });
      term.end('memory and rows disagree');
    },
  });
  return { journal, dataSource };
}

/** Silent until it serves: how Nest puts its modules together is nobody's business. */
const NEST_OPTIONS: Partial<NestApplicationOptions> = {
  bodyParser: false,
  logger: false,
  abortOnError: false,
};

/** How a scheduler speaks HTTP, at both its entrances. */
function httpOptions(config: Config, keys: KeyCheck): HttpOptions {
  const { allowedHosts, trustedNetworks, bodyLimitBytes } = config.server;
  return {
    dialects: DIALECTS,
    bodyLimitBytes,
    bodyLimits: { ...swarmpilotBodyLimits(config), ...APR_BODY_LIMITS, ...DTASK_BODY_LIMITS },
    admission: { allowedHosts, trustedNetworks, keys },
  };
}

/** The Nest application, not yet initialised. */
async function createApp(
  options: TermOptions,
  store: TermStore,
  http: HttpOptions,
): Promise<NestExpressApplication> {
  const module = AppModule.forTerm(options, store);
  const app = await NestFactory.create<NestExpressApplication>(module, NEST_OPTIONS);
  configureHttp(app, http);
  serveOpenApi(app);
  return app;
}
