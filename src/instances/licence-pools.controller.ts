import { Body, Controller, Delete, Get, Param, Put } from '@nestjs/common';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import {
  LicencePoolDto,
  LicencePoolPathDto,
  LicencePoolsDto,
  SetLicencePoolDto,
} from './dto/licence-pool.dto';
import { LicencePoolsService } from './licence-pools.service';

/** The native calls about licence pools. */
export const LICENCE_POOLS_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/licence-pools', access: 'dialect' },
  { method: 'PUT', path: '/v1/licence-pools/:name', access: 'key' },
  { method: 'DELETE', path: '/v1/licence-pools/:name', access: 'key' },
];

const POOL: Plain<LicencePoolDto> = { name: 'innovus-21.1', tokens: 10, used: 4 };

/** Licences that batch jobs draw from, cluster-wide. */
@Controller('/v1/licence-pools')
export class LicencePoolsController {
  constructor(private readonly pools: LicencePoolsService) {}

  /** List the licence pools, and what is used of each. */
  @Get()
  @NativeRoute({
    operationId: 'listLicencePools',
    answer: LicencePoolsDto,
    example: { licence_pools: [POOL] },
  })
  list(): Plain<LicencePoolsDto> {
    return { licence_pools: this.pools.all() };
  }

  /**
   * Make a licence pool, or give it another number of tokens.
   *
   * @remarks A job draws from the pool that is called as its `tool_version`, else from the one called
   * `default`; without either there is no limit. Holds from the next placement on and survives a
   * restart; a pool that the settings name is as they say again after it.
   */
  @Put('/:name')
  @NativeRoute({
    operationId: 'setLicencePool',
    answer: LicencePoolDto,
    example: POOL,
    fails: ['store_unavailable'],
    hasBody: true,
  })
  set(
    @Param() { name }: LicencePoolPathDto,
    @Body() { tokens }: SetLicencePoolDto,
  ): Promise<Plain<LicencePoolDto>> {
    return this.pools.set(name, tokens);
  }

  /** Take a licence pool away, and show what it was. */
  @Delete('/:name')
  @NativeRoute({
    operationId: 'deleteLicencePool',
    answer: LicencePoolDto,
    example: POOL,
    fails: ['unknown_licence_pool', 'store_unavailable'],
  })
  delete(@Param() { name }: LicencePoolPathDto): Promise<Plain<LicencePoolDto>> {
    return this.pools.delete(name);
  }
}
