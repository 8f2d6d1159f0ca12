import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { DialectRoute } from '../http/dialect';
import { NativeErrors } from '../http/native-route';

/** Where the process tells that it lives. */
export const LIVENESS_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/livez', access: 'open' },
];

/** Whether the process answers at all: neither the database nor the leadership matters here. */
@Controller()
export class LivenessController {
  /** Tell that the process lives. */
  @Get('/livez')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @ApiOperation({ operationId: 'livez', tags: ['Service'], security: [] })
  @ApiOkResponse({
    description: 'It lives.',
    content: { 'text/plain': { schema: { type: 'string' }, example: 'ok' } },
  })
  @NativeErrors('forbidden')
  live(): string {
    return 'ok';
  }
}
