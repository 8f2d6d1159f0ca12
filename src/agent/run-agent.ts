import type { Logger } from 'pino';
import { createLogger } from '../ops/logging';
import { onEndSignals } from '../ops/end-signals';
import { systemClock, systemRandom } from '../ops/system';
import { SchedulerConnection } from '../outgoing/scheduler-connection';
import type { AgentOptions, WorkerFacts } from './agent-options';
import type { Beat, SchedulerPosts } from './beat';
import { Heart } from './heart';
import { HostBeat } from './host-beat';
import { LoadMeter } from './load-meter';
import { loadSourceOf } from './load-source';
import { WorkerBeat } from './worker-beat';

const STANDARD_ERROR = 2;
/** Less than the time between two heartbeats: one that is not answered must not cost the next. */
const ANSWER_MS = 2_500;

/**
 * Heartbeats until SIGTERM or SIGINT, then says goodbye; another signal a second later ends the
 * process at once. The log goes to standard error.
 * @throws {InputError} when the scheduler refuses the first heartbeat that reaches it
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { schedulerUrl: url, key, intervalMs, logLevel: level } = options;
  const readable = process.stderr.isTTY;
  const log = createLogger({ level, readable, destination: STANDARD_ERROR });
  const scheduler = new SchedulerConnection({ url, key, connections: 1, answerMs: ANSWER_MS });
  const beat = beatOf(options, scheduler, log);
  const heart = new Heart({ beat, intervalMs, clock: systemClock, random: systemRandom, log });
  onEndSignals(() => heart.stop());
  // Also on a second signal: no command outlives this process.
  process.once('exit', () => beat.hurry());
  try {
    await heart.run();
  } finally {
    await scheduler.close();
  }
}

function beatOf({ speaksFor }: AgentOptions, scheduler: SchedulerPosts, log: Logger): Beat {
  if (speaksFor.kind === 'host') return new HostBeat(speaksFor, scheduler);
  return new WorkerBeat(speaksFor, meterOf(speaksFor, log), scheduler, systemClock);
}

function meterOf({ load, maxTasks }: WorkerFacts, log: Logger): LoadMeter {
  if (load === null) {
    const why = 'no --load-file or --load-command';
    log.warn({ event: 'load_not_asked' }, `${why}: it always says that it has no tasks`);
    return new LoadMeter(null, { currentTasks: 0, taskIds: null }, log);
  }
  // Full until it is known better: nothing may be sent on top of what nobody has counted.
  return new LoadMeter(loadSourceOf(load), { currentTasks: maxTasks, taskIds: null }, log);
}
