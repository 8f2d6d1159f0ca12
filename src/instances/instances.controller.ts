import { Controller, Get, Inject } from '@nestjs/common';
import type { Clock } from '../core/ports';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import { CLOCK } from '../ops/system';
import { InstancesDto } from './dto/instance.dto';
import { instancesAnswer } from './instances.mapper';
import { InstancesService } from './instances.service';

/** The native calls about instances. */
export const INSTANCES_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/instances', access: 'dialect' },
];

/** Instances, as an operator looks at them. */
@Controller('/v1/instances')
export class InstancesController {
  constructor(
    private readonly instances: InstancesService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** List the instances in service. */
  @Get()
  @NativeRoute({
    operationId: 'listInstances',
    answer: InstancesDto,
    example: {
      instances: [
        {
          id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
          name: 'gpu7-8100',
          kind: 'task_instance',
          host: '127.0.0.1',
          port: 8100,
          model: 'llama-3-8b',
          health: 'online',
          unfit_because: null,
          draining: false,
          slots: 2,
          occupied: 2,
          waiting: 5,
          speed: 1,
          last_contact_at: '2026-11-21T10:00:00.000Z',
          registered_at: '2026-11-21T09:00:00.000Z',
        },
      ],
    },
  })
  list(): Plain<InstancesDto> {
    return instancesAnswer(this.instances.list(), this.clock.now());
  }
}
