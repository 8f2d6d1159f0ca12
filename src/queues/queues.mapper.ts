import { SchedulerError } from '../core/errors';
import { queueName } from '../core/queue';
import type { SettingsChange } from '../core/queue-settings';
import { strategyName, type StrategyName } from '../core/units';
import type { Plain } from '../http/dto-fields';
import type { TaskTimes } from '../persistence/task-statistics.repository';
import type { QueueStatistics } from '../tasks/task-statistics';
import type { QueueChangeDto, QueueDto, QueueStatisticsDto, TaskTimesDto } from './dto/queue.dto';
import type { QueueStanding } from './queues.service';

/** A queue as the native API shows it. */
export function queueAnswer({ queue, waits, running, unfit }: QueueStanding): Plain<QueueDto> {
  const { key, settings, waiting } = queue;
  return {
    model: queueName(key),
    strategy: settings.strategy,
    order_weight: settings.orderG,
    prefetch: settings.prefetch,
    limit: settings.limit,
    attempt_timeout_ms: settings.attemptTimeoutMs,
    paused: settings.paused,
    waiting,
    running,
    unfit,
    instances: waits.map(({ instance, meanMs, deviationMs }) => ({
      instance_id: instance.id,
      instance_name: instance.name,
      wait_ms: meanMs,
      wait_error_ms: deviationMs,
    })),
  };
}

/** What finished tasks took, as the native API shows it. */
export function statisticsAnswer(statistics: QueueStatistics): Plain<QueueStatisticsDto> {
  return {
    last_tasks: timesAnswer(statistics.lastTasks),
    last_hour: timesAnswer(statistics.lastHour),
  };
}

/**
 * What is to be set.
 * @throws {SchedulerError} invalid_input when nothing is
 */
export function toSettingsChange(body: Plain<QueueChangeDto>): SettingsChange {
  const { strategy, order_weight, prefetch, limit, attempt_timeout_ms, paused } = body;
  const change: SettingsChange = {
    ...(strategy === undefined ? {} : { strategy: strategyNamed(strategy) }),
    ...(order_weight === undefined ? {} : { orderG: order_weight }),
    ...(prefetch === undefined ? {} : { prefetch }),
    ...(limit === undefined ? {} : { limit }),
    ...(attempt_timeout_ms === undefined ? {} : { attemptTimeoutMs: attempt_timeout_ms }),
    ...(paused === undefined ? {} : { paused }),
  };
  if (Object.keys(change).length > 0) return change;
  const names = 'strategy, order_weight, prefetch, limit, attempt_timeout_ms, paused';
  const msg = `the body must name at least one of ${names}`;
  const fault = { loc: ['body'], msg, type: 'missing' };
  throw new SchedulerError('invalid_input', msg, { faults: [fault] });
}

function strategyNamed(name: string | null): StrategyName | null {
  return name === null ? null : strategyName(name);
}

function timesAnswer({ tasks, wait, service, total }: TaskTimes): Plain<TaskTimesDto> {
  return { tasks, wait_ms: wait, service_ms: service, total_ms: total };
}
