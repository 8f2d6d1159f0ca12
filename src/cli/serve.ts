import { Command } from 'commander';
import type { Config } from '../config/config.schema';
import { onEndSignals } from '../ops/end-signals';
import type { Service } from '../service';
import { examplesText } from './client-verb';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';
import { sourcesOf, withServeFlags, type ServeFlags } from './settings-flags';

/** `foresail serve`: the scheduler itself. */
export function serveCommand(): Command {
  return withServeFlags(new Command('serve'))
    .description('start the scheduler, with an embedded PostgreSQL unless DATABASE_URL is set')
    .addHelpText(
      'after',
      examplesText(['foresail serve', 'foresail serve --port 0 --data-dir /var/lib/foresail']) +
        EXIT_CODES_HELP,
    )
    .action(guarded(serve));
}

async function serve(flags: ServeFlags): Promise<void> {
  const { loadConfig } = await import('../config/load-config.js');
  const config = loadConfig(sourcesOf(flags));
  const { createLogger } = await import('../ops/logging.js');
  const readable = process.stdout.isTTY;
  const logger = createLogger({ level: config.log.level, readable });
  process.on('unhandledRejection', (error) => {
    logger.error({ error, msg: 'a defect: nobody waited for this' });
  });
  armCrashPointOf(config, await import('../ops/crash-points.js'));
  const { boundHeapGrowth } = await import('../ops/heap-growth.js');
  boundHeapGrowth();
  const { Service } = await import('../service.js');
  const service = await Service.start(config, logger);
  onEndSignals(() => stop(service));
  await service.whenSettled();
  process.stdout.write(greeting(service));
}

type CrashPoints = typeof import('../ops/crash-points');

function armCrashPointOf({ testing }: Config, { armCrashPoint, isCrashPoint }: CrashPoints): void {
  const [point, pass] = testing.crashAt?.split('#') ?? [];
  if (point === undefined) return;
  if (!isCrashPoint(point)) throw new CommandFailure(EXIT.usage, `no crash point ${point}`);
  armCrashPoint(point, Number(pass ?? 1));
}

/**
 * The process itself listens: while it is a standby there is no application whose shutdown hooks
 * could.
 */
function stop(service: Service): void {
  service.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
}

function greeting({ url, standsBecause }: Service): string {
  const state = standsBecause === undefined ? 'is ready' : `stands by (${standsBecause})`;
  return `
Foresail ${state}: ${url}
Swagger UI:            ${url}/docs

Try:
  curl ${url}/health
  curl ${url}/queue/info
  curl ${url}/queue/submit -d '{"model_name":"demo","task_input":{"prompt":"hi"}}'

A worker for that model, in another terminal:
  npx foresail worker --scheduler ${url} --model demo

`;
}
