import { Controller, Get, Post, Query } from '@nestjs/common';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import { alertAnswer } from './alerts.mapper';
import { AlertsService } from './alerts.service';
import { AlertDto, AlertsDto, AlertsQueryDto } from './dto/alert.dto';

/** The native calls about alerts. */
export const ALERTS_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/alerts', access: 'dialect' },
  { method: 'POST', path: '/v1/alerts/test', access: 'key' },
];

const ALERT: Plain<AlertDto> = {
  id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b11',
  kind: 'job_failed',
  subject: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
  message: 'job 0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10 of ana failed on h3: exit code 2',
  raised_at: '2026-11-21T22:15:03.900Z',
  over_at: null,
  left_out: 0,
  details: {
    job_id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
    status: 'FAILED',
    ended_at: '2026-11-21T22:15:03.100Z',
    owner: 'ana',
    project: 'chip',
    design: 'top',
    host_id: 'h3',
    failure: 'exit',
    attempt: 1,
    retries: 0,
    exit_code: 2,
  },
  deliveries: [
    {
      receiver: 'https://hooks.example.com/…',
      state: 'delivered',
      tries: 1,
      next_try_at: null,
      ended_at: '2026-11-21T22:15:04.120Z',
      error: null,
    },
  ],
};
const TEST: Plain<AlertDto> = {
  ...ALERT,
  kind: 'test',
  subject: '',
  message: 'this is a test: alerts of this scheduler arrive here',
  details: {},
};

/** What operators were told, and whether it reached them. */
@Controller('/v1/alerts')
export class AlertsController {
  constructor(private readonly alerts: AlertsService) {}

  /** List alerts, newest first. */
  @Get()
  @NativeRoute({
    operationId: 'listAlerts',
    answer: AlertsDto,
    example: { alerts: [ALERT], next_cursor: null },
    fails: ['store_unavailable'],
  })
  async list(@Query() { kind, limit, cursor }: AlertsQueryDto): Promise<Plain<AlertsDto>> {
    const filter = kind === undefined ? {} : { kind };
    const { items, nextCursor } = await this.alerts.page(filter, limit, cursor);
    return { alerts: items.map(alertAnswer), next_cursor: nextCursor };
  }

  /**
   * Send a test to every webhook.
   *
   * @remarks Each is tried at once, for at most 10 s; `deliveries` says what came of it. What did not
   * arrive is tried again later, like every alert.
   */
  @Post('/test')
  @NativeRoute({
    operationId: 'testAlerts',
    answer: AlertDto,
    example: TEST,
    fails: ['store_unavailable'],
  })
  async test(): Promise<Plain<AlertDto>> {
    return alertAnswer(await this.alerts.test());
  }
}
