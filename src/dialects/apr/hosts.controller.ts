import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import type { Plain } from '../../http/dto-fields';
import { HostsService } from '../../instances/hosts.service';
import { AprRoute } from './apr-route';
import { HOST } from './apr.examples';
import { toHost } from './apr.input';
import { hostAnswer, success } from './apr.mapper';
import { HostAnswerDto, HostPathDto, HostsAnswerDto, RegisterHostDto } from './dto/host.dto';

/** The hosts that run jobs. */
@Controller('/scheduler/hosts')
export class HostsController {
  constructor(private readonly hosts: HostsService) {}

  /**
   * Register a host.
   *
   * @remarks The same `host_id` again is the same host: its size, labels and prefix are brought up
   * to date, and it counts as a heartbeat.
   */
  @Post('/register')
  @AprRoute({ operationId: 'registerHost', answer: HostAnswerDto, example: HOST, hasBody: true })
  async register(@Body() body: RegisterHostDto): Promise<Plain<HostAnswerDto>> {
    return success(hostAnswer(await this.hosts.register(toHost(body))));
  }

  /** Tell that a host is there. */
  @Post('/:host_id/heartbeat')
  @AprRoute({
    operationId: 'hostHeartbeat',
    answer: HostAnswerDto,
    example: HOST,
    fails: ['unknown_instance'],
  })
  heartbeat(@Param() { host_id: id }: HostPathDto): Plain<HostAnswerDto> {
    return success(hostAnswer(this.hosts.heartbeat(id)));
  }

  /** List the hosts. */
  @Get()
  @AprRoute({ operationId: 'listHosts', answer: HostsAnswerDto, example: { hosts: [HOST] } })
  list(): Plain<HostsAnswerDto> {
    return success({ hosts: this.hosts.all().map(hostAnswer) });
  }
}
