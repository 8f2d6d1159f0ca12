import type { Instance } from '../core/instance';
import { queueName } from '../core/queue';
import { ONE_SLOT } from '../core/resources';
import type { Instant } from '../core/units';
import type { Plain } from '../http/dto-fields';
import type { InstanceDto, InstancesDto } from './dto/instance.dto';

/** The instances as the native API shows them. */
export function instancesAnswer(list: readonly Instance[], now: Instant): Plain<InstancesDto> {
  return { instances: list.map((instance) => instanceAnswer(instance, now)) };
}

function instanceAnswer(instance: Instance, now: Instant): Plain<InstanceDto> {
  const { id, name, kind, host, port, health, draining, slots, waiting, speed } = instance;
  return {
    id,
    name,
    kind,
    host,
    port,
    model: queueName(instance.queue),
    health,
    unfit_because: instance.infeasible(ONE_SLOT, now) ?? null,
    draining,
    slots,
    occupied: instance.backlog.heldCount,
    waiting,
    speed,
    last_contact_at: new Date(instance.lastContact).toISOString(),
    registered_at: new Date(instance.registeredWallMs).toISOString(),
  };
}
