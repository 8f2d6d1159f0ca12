import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { isSchedulerError } from '../core/errors';
import { readInstancesFile, type FileInstance } from './instances-file';
import { InstancesService } from './instances.service';

/** Registers what the instances file lists; what cannot be reached yet comes into use by itself. */
@Injectable()
export class InstancesFileLoader implements OnApplicationBootstrap {
  private readonly logger = new Logger(InstancesFileLoader.name);

  constructor(
    private readonly instances: InstancesService,
    @Inject(configOf('instances')) private readonly config: Config['instances'],
  ) {}

  onApplicationBootstrap(): void {
    const { instancesFile } = this.config;
    if (instancesFile === undefined) return;
    for (const entry of readInstancesFile(instancesFile)) void this.load(entry);
  }

  private async load({ host, port, modelName }: FileInstance): Promise<void> {
    try {
      await this.instances.register({ host, port, modelName });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!isSchedulerError(error, 'unreachable_instance') || modelName === undefined) {
        this.logger.error(`the instances file lists ${host}:${port}, which cannot be used: ${why}`);
        return;
      }
      await this.instances.expect({ host, port, modelName });
      this.logger.warn(`${host}:${port} of the instances file does not answer yet: ${why}`);
    }
  }
}
