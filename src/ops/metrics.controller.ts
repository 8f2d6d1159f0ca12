import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { ServerResponse } from 'node:http';
import { Registry } from 'prom-client';
import type { DialectRoute } from '../http/dialect';
import { NativeErrors } from '../http/native-route';

/** Where Prometheus reads the figures. */
export const METRICS_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/metrics', access: 'document' },
];

const EXAMPLE = `# HELP foresail_queue_depth Tasks that wait.
# TYPE foresail_queue_depth gauge
foresail_queue_depth{kind="model",queue="llama-3-8b"} 5
`;

/** The figures of this term. */
@Controller()
export class MetricsController {
  constructor(private readonly registry: Registry) {}

  /** Show the figures in the text format of Prometheus. */
  @Get('/metrics')
  @ApiOperation({ operationId: 'metrics', tags: ['Service'] })
  @ApiOkResponse({
    description: 'The figures.',
    content: { 'text/plain': { schema: { type: 'string' }, example: EXAMPLE } },
  })
  @NativeErrors('unauthenticated', 'forbidden', 'not_leading')
  async metrics(@Res() response: ServerResponse): Promise<void> {
    const text = await this.registry.metrics();
    // By hand: Nest would put its own charset behind the version of the format.
    response.setHeader('Content-Type', this.registry.contentType);
    response.end(text);
  }
}
