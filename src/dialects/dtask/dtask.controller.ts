import { Body, Controller, Get, Post } from '@nestjs/common';
import type { Plain } from '../../http/dto-fields';
import { FrontDoor } from '../../http/front-door';
import { Gone, type SignalOfGone } from '../../http/gone';
import { PlacementsService } from '../../placements/placements.service';
import { WorkersService } from '../../placements/workers.service';
import { DtaskRoute } from './dtask-route';
import { placedAt, toHeartbeat, toRequest, workerAnswer } from './dtask.mapper';
import { HeartbeatAnswerDto, HeartbeatDto } from './dto/heartbeat.dto';
import { PlacedAtDto, ReleasedDto, ReleaseDto, ScheduleDto } from './dto/placement.dto';
import { WorkerDto } from './dto/worker.dto';

/** Workers that heartbeat, and clients that ask which of them takes a task. */
@Controller('/api/v1')
export class DtaskController {
  constructor(
    private readonly workers: WorkersService,
    private readonly placements: PlacementsService,
  ) {}

  /**
   * Tell that a worker is there, and what it has.
   *
   * @remarks The first heartbeat registers the worker. One that is older than the last one by the
   * worker's own `timestamp` proves life and changes nothing else.
   */
  @Post('/heartbeat')
  @FrontDoor()
  @DtaskRoute({
    operationId: 'workerHeartbeat',
    answer: HeartbeatAnswerDto,
    example: { status: 'ok' },
    hasBody: true,
  })
  async heartbeat(@Body() body: HeartbeatDto): Promise<Plain<HeartbeatAnswerDto>> {
    await this.workers.heartbeat(toHeartbeat(body));
    return { status: 'ok' };
  }

  /**
   * Ask which worker takes a task.
   *
   * @remarks Of the workers that are online, have all required tags and room: the one with the least
   * load. The answer means that the placement is committed.
   */
  @Post('/schedule')
  @FrontDoor()
  @DtaskRoute({
    operationId: 'schedule',
    answer: PlacedAtDto,
    example: { worker_id: 'worker-001', address: '192.168.1.100:9000' },
    hasBody: true,
    fails: ['no_capacity', 'queue_full'],
  })
  async schedule(
    @Body() body: ScheduleDto,
    @Gone() signalOfGone: SignalOfGone,
  ): Promise<Plain<PlacedAtDto>> {
    return placedAt(await this.placements.place(toRequest(body), signalOfGone));
  }

  /**
   * End the placement of a task.
   *
   * @remarks What it had reserved is free at once. A repeat is as good as the first call.
   */
  @Post('/release')
  @DtaskRoute({
    operationId: 'release',
    answer: ReleasedDto,
    example: { status: 'ok', released: true },
    hasBody: true,
  })
  async release(@Body() { task_id: taskId }: ReleaseDto): Promise<Plain<ReleasedDto>> {
    return { status: 'ok', released: await this.placements.release(taskId) };
  }

  /** List the workers. */
  @Get('/workers')
  @DtaskRoute({
    operationId: 'listWorkers',
    answer: WorkerDto,
    isList: true,
    example: {
      WorkerID: 'worker-001',
      Address: '192.168.1.100:9000',
      ResourceTags: ['gpu', 'cuda-12.0'],
      MaxTasks: 30,
      CurrentTasks: 5,
      Available: 25,
      LastHeartbeat: '2026-11-21T10:00:00.000Z',
      Status: 'online',
    },
  })
  list(): readonly Plain<WorkerDto>[] {
    return this.workers.all().map(workerAnswer);
  }
}
