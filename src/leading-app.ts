import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import type { RequestListener } from 'node:http';
import { AppModule, DIALECTS, type TermOptions } from './app.module';
import { swarmpilotBodyLimits } from './dialects/swarmpilot/swarmpilot.dialect';
import { configureHttp } from './http/configure-http';
import type { KeyCheck } from './http/key-check';
import { serveOpenApi } from './http/openapi';
import { TASK_JOURNAL, type TaskJournal } from './persistence/task-journal';
import { Dispatcher } from './queues/dispatcher';

/** The application of one term: made when the lease is won, gone when the term ends. */
export class LeadingApp {
  private constructor(private readonly app: NestExpressApplication) {}

  /** Restores the fleet from the rows and is ready to serve when it resolves. */
  static async open(options: TermOptions, keys: KeyCheck): Promise<LeadingApp> {
    const app = await createApp(options, keys);
    await app.init();
    app.useLogger(app.get(Logger));
    return new LeadingApp(app);
  }

  get listener(): RequestListener {
    return this.app.getHttpAdapter().getInstance() as RequestListener;
  }

  /** Stops placing and sending, waits for what is under way, and writes what is not written. */
  async close(): Promise<void> {
    await this.app.get(Dispatcher).stop();
    await this.app.get<TaskJournal>(TASK_JOURNAL).stop();
    await this.app.close();
  }
}

/** Silent until it serves: how Nest puts its modules together is nobody's business. */
const NEST_OPTIONS: Partial<NestApplicationOptions> = {
  bodyParser: false,
  logger: false,
  abortOnError: false,
};

/** The Nest application, not yet initialised: also what the OpenAPI document is made from. */
export async function createApp(
  options: TermOptions,
  keys: KeyCheck,
): Promise<NestExpressApplication> {
  const module = AppModule.forTerm(options);
  const app = await NestFactory.create<NestExpressApplication>(module, NEST_OPTIONS);
  const { allowedHosts, trustedNetworks, bodyLimitBytes } = options.config.server;
  configureHttp(app, {
    dialects: DIALECTS,
    bodyLimitBytes,
    bodyLimits: swarmpilotBodyLimits(options.config),
    admission: { allowedHosts, trustedNetworks, keys },
  });
  serveOpenApi(app);
  return app;
}
