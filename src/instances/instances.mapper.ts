import type { Instance, Unfit } from '../core/instance';
import { queueName } from '../core/queue';
import type { ReplicasStarted, ReplicasStopped } from '../executors/worker-replicas';
import type { Plain } from '../http/dto-fields';
import type { InstanceDto, StartModelsAnswerDto, StopModelsAnswerDto } from './dto/instance.dto';

/** An instance, and why it gets no new work, as the native API shows it. */
export function instanceAnswer(
  instance: Instance,
  unfitBecause: Unfit | undefined,
): Plain<InstanceDto> {
  const { id, name, kind, port, health, draining, slots, occupied, waiting, speed } = instance;
  return {
    id,
    name,
    kind,
    host: kind === 'worker' ? instance.traits.endpoint : instance.host,
    port,
    tags: [...instance.traits.tags],
    model: queueName(instance.queue),
    health,
    unfit_because: unfitBecause ?? null,
    draining,
    drained_by: [
      ...(instance.drainAsked ? (['operator'] as const) : []),
      ...(instance.drainsItself ? (['worker'] as const) : []),
    ],
    slots,
    occupied,
    waiting,
    speed,
    declared_speed: instance.learnedSpeed.declared,
    speed_outcomes: instance.learnedSpeed.outcomes,
    last_contact_at: new Date(instance.lastContact).toISOString(),
    registered_at: new Date(instance.registeredWallMs).toISOString(),
  };
}

/** What a start of replicas led to. */
export function startAnswer(
  instance: Plain<InstanceDto>,
  { detail, started, total }: ReplicasStarted,
): Plain<StartModelsAnswerDto> {
  return { instance, detail, replicas_started: started, total_replicas: total };
}

/** What a stop of replicas led to. */
export function stopAnswer(
  instance: Plain<InstanceDto>,
  { detail, stopped, remaining }: ReplicasStopped,
): Plain<StopModelsAnswerDto> {
  return { instance, detail, stopped_replicas: stopped, remaining_replicas: remaining };
}
