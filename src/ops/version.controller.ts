import { Controller, Get, HttpCode } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { VERSION } from '../config/version';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeErrors } from '../http/native-route';
import { VersionDto } from './dto/version.dto';

/** Where the process tells what it is. */
export const VERSION_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/version', access: 'open' },
];

/** What this process is, and since when; a standby says it too. */
export function versionAnswer(): Plain<VersionDto> {
  return {
    name: 'foresail',
    version: VERSION,
    node: process.version,
    started_at: new Date(performance.timeOrigin).toISOString(),
  };
}

const EXAMPLE: Plain<VersionDto> = {
  name: 'foresail',
  version: VERSION,
  node: 'v20.19.0',
  started_at: '2026-11-21T10:00:00.000Z',
};

/** What program this is. */
@Controller()
export class VersionController {
  /** Tell the version of the program and when the process started. */
  @Get('/version')
  @HttpCode(200)
  @ApiOperation({ operationId: 'version', tags: ['Service'], security: [] })
  @ApiOkResponse({ type: VersionDto, description: 'Success.', example: EXAMPLE })
  @NativeErrors('forbidden')
  version(): Plain<VersionDto> {
    return versionAnswer();
  }
}
