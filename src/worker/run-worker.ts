import type { AddressInfo } from 'node:net';
import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger as NestLogger, PinoLogger } from 'nestjs-pino';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { configureHttp } from '../http/configure-http';
import { listenFailure } from '../http/listen-failure';
import { onEndSignals } from '../ops/end-signals';
import { SyncedLines } from '../ops/synced-lines';
import type { Ledger } from './ledger';
import { openEngine } from './open-engine';
import { taskInstanceDialect } from './task-instance.dialect';
import { WorkerIdentity } from './worker-identity';
import { WorkerLifecycle } from './worker-lifecycle';
import type { WorkerOptions } from './worker-options';
import { WorkerModule } from './worker.module';

/**
 * A task is at most 1 MiB at the scheduler; our ids, and numbers written in another way, come on
 * top.
 */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
const STANDARD_ERROR = 2;

/** A worker that listens. */
export interface RunningWorker {
  readonly url: string;
  readonly instanceId: string;
}

/**
 * Starts a worker in this process: it serves the task-instance interface, and registers when it
 * has a scheduler. SIGTERM and SIGINT drain it and end the process with status 0; another signal
 * later ends it at once. The log goes to standard error.
 * @throws {Error} when the ledger cannot be opened or the address cannot be listened on.
 */
export async function runWorker(options: WorkerOptions): Promise<RunningWorker> {
  const log = logFor(options);
  const ledger: Ledger | null =
    options.ledger === undefined ? null : await SyncedLines.open(options.ledger);
  const ledgerFailed = (error: unknown): void => {
    log.fatal({ event: 'ledger_failed', err: error }, 'cannot write the ledger');
    process.exit(1);
  };
  const engine = await openEngine(options, log);
  const module = WorkerModule.with(options, { engine, log, ledger, ledgerFailed });
  const logger = new NestLogger(new PinoLogger({ pinoHttp: { logger: nestLog(log) } }), {});
  const settings: Partial<NestApplicationOptions> = {
    bodyParser: false,
    abortOnError: false,
    forceCloseConnections: true,
    logger,
  };
  const app = await NestFactory.create<NestExpressApplication>(module, settings);
  configureHttp(app, {
    dialects: [taskInstanceDialect],
    bodyLimitBytes: BODY_LIMIT_BYTES,
    admission: {
      trustedNetworks: options.trustedNetworks,
      allowedHosts: [options.advertise],
      // A worker has no keys: who may call it is a matter of where the call comes from.
      keys: { anyKeyExists: () => false, verify: () => false },
      remedies: {
        key: 'this worker is called from its own machine and the networks of --trusted-networks only',
        host: 'the host of --advertise',
      },
    },
  });
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  // Nest ignores signals while its shutdown hooks run, and a drain may take a minute: whoever sends
  // another one does not want to wait for it.
  onEndSignals(() => undefined);
  try {
    await app.listen(options.port, options.host);
  } catch (error) {
    await engine.close();
    await ledger?.close();
    // Nest passes on what the socket said.
    const { host, port } = options;
    throw listenFailure(error as NodeJS.ErrnoException, { host, port, setBy: '--port' });
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  app.get(WorkerLifecycle).listening(port);
  const { instanceId } = app.get(WorkerIdentity);
  const url = `http://${urlHost(options.host)}:${port}`;
  log.info({ event: 'listening', url, instanceId, model: options.model }, 'listening');
  return { url, instanceId };
}

/** JSON lines, readable ones on a terminal; written at once, so that an exit loses none. */
function logFor({ logLevel: level }: WorkerOptions): Logger {
  const destination = process.stderr.isTTY
    ? pretty({ destination: STANDARD_ERROR, sync: true })
    : pino.destination({ dest: STANDARD_ERROR, sync: true });
  return pino({ level, base: { pid: process.pid } }, destination);
}

/** Nest tells of every module and route at `info`: that is for who develops this. */
function nestLog(log: Logger): Logger {
  return log.isLevelEnabled('debug') ? log : log.child({}, { level: quieter(log.level) });
}

function quieter(level: string): string {
  return level === 'info' ? 'warn' : level;
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
