import { Body, Controller, Post } from '@nestjs/common';
import type { Plain } from '../../http/dto-fields';
import { InstancesService } from '../../instances/instances.service';
import { RegisterAnswerDto, RegisterDto, RemoveAnswerDto, RemoveDto } from './dto/ti.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { registered, removed, toRegistration, toRemovalRef } from './swarmpilot.mapper';

const ID = '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10';

/** Task instances come and go. */
@Controller('/ti')
export class TiController {
  constructor(private readonly instances: InstancesService) {}

  /**
   * Register a task instance.
   *
   * @remarks The scheduler asks the instance's `/status` first. The same host and port again is the
   * same instance: same `ti_uuid`, its model brought up to date.
   */
  @Post('/register')
  @SwarmpilotRoute({
    operationId: 'registerInstance',
    answer: RegisterAnswerDto,
    examples: {
      registered: {
        status: 'success',
        message: 'registered 127.0.0.1:8100 for llama-3-8b',
        ti_uuid: ID,
      },
      unreachable: {
        status: 'error',
        message: 'task instance 127.0.0.1:8100 cannot be reached: connection refused',
        ti_uuid: '',
      },
      'another model': {
        status: 'error',
        message: '127.0.0.1:8100 serves "mistral-7b", not "llama-3-8b"',
        ti_uuid: '',
      },
    },
  })
  async register(@Body() body: RegisterDto): Promise<Plain<RegisterAnswerDto>> {
    const instance = await this.instances.register(toRegistration(body));
    return registered(instance, this.instances.twinOf(instance));
  }

  /**
   * Take a task instance out of service.
   *
   * @remarks Its running tasks go on to their end and are recorded; its waiting tasks move to other
   * instances. Named by `ti_uuid`, or by `host` and `port`.
   */
  @Post('/remove')
  @SwarmpilotRoute({
    operationId: 'removeInstance',
    answer: RemoveAnswerDto,
    examples: {
      removed: {
        status: 'success',
        message: 'removed 127.0.0.1:8100',
        host: '127.0.0.1',
        port: 8100,
        ti_uuid: ID,
      },
      unknown: {
        status: 'error',
        message: 'no instance "127.0.0.1:8100" is registered',
        host: '127.0.0.1',
        port: 8100,
        ti_uuid: null,
      },
    },
  })
  async remove(@Body() body: RemoveDto): Promise<Plain<RemoveAnswerDto>> {
    return removed(body, await this.instances.remove(toRemovalRef(body)));
  }
}
