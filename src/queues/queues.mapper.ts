import { queueName, type Queue } from '../core/queue';
import type { Plain } from '../http/dto-fields';
import type { QueueDto, QueuesDto } from './dto/queue.dto';
import type { InstanceWait } from './queues.service';

/** The queues, and the waits at their instances, as the native API shows them. */
export function queuesAnswer(
  queues: readonly Queue[],
  waits: readonly InstanceWait[],
): Plain<QueuesDto> {
  return {
    queues: queues.map((queue) =>
      queueAnswer(
        queue,
        waits.filter((wait) => wait.queue === queue),
      ),
    ),
  };
}

function queueAnswer(
  { key, settings, waiting }: Queue,
  waits: readonly InstanceWait[],
): Plain<QueueDto> {
  return {
    model: queueName(key),
    strategy: settings.strategy,
    order_weight: settings.orderG,
    waiting,
    instances: waits.map(({ instance, meanMs, deviationMs }) => ({
      instance_id: instance.id,
      instance_name: instance.name,
      wait_ms: meanMs,
      wait_error_ms: deviationMs,
    })),
  };
}
