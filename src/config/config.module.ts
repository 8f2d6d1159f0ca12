import { DynamicModule, Module } from '@nestjs/common';
import type { Config, SliceName } from './config.schema';

/** Token of the whole configuration. Prefer a slice. */
export const CONFIG = Symbol('Config');

const TOKENS = {
  server: Symbol('Config.server'),
  database: Symbol('Config.database'),
  limits: Symbol('Config.limits'),
  intervals: Symbol('Config.intervals'),
  retries: Symbol('Config.retries'),
  circuit: Symbol('Config.circuit'),
  retention: Symbol('Config.retention'),
  scheduling: Symbol('Config.scheduling'),
  predictions: Symbol('Config.predictions'),
  instances: Symbol('Config.instances'),
  commands: Symbol('Config.commands'),
  alerts: Symbol('Config.alerts'),
  log: Symbol('Config.log'),
  testing: Symbol('Config.testing'),
} as const satisfies Record<SliceName, symbol>;

/**
 * Token of one slice, to be injected as
 * `@Inject(configOf('limits')) private readonly limits: Config['limits']`.
 */
export function configOf(slice: SliceName): symbol {
  return TOKENS[slice];
}

/** Provides the configuration and its slices everywhere. */
@Module({})
export class ConfigModule {
  static forRoot(config: Config): DynamicModule {
    const slices = Object.entries(TOKENS) as [SliceName, symbol][];
    const providers = [
      { provide: CONFIG, useValue: config },
      ...slices.map(([slice, provide]) => ({ provide, useValue: config[slice] })),
    ];
    const exported = providers.map(({ provide }) => provide);
    return { module: ConfigModule, global: true, providers, exports: exported };
  }
}
