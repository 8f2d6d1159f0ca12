import { setTimeout as sleep } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { isSchedulerError } from '../core/errors';
import { readInstancesFile, type FileInstance } from './instances-file';
import { InstancesService } from './instances.service';

/** Pause before an entry that cannot be used yet is tried again, in ms. */
const RETRY_MS = 5_000;

/** Registers what the instances file lists; what cannot be reached yet comes into use by itself. */
@Injectable()
export class InstancesFileLoader implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();
  private readonly logger = new Logger(InstancesFileLoader.name);

  constructor(
    private readonly instances: InstancesService,
    @Inject(configOf('instances')) private readonly config: Config['instances'],
  ) {}

  onApplicationBootstrap(): void {
    const { instancesFile } = this.config;
    if (instancesFile === undefined) return;
    for (const entry of readInstancesFile(instancesFile)) void this.loadUntilDone(entry);
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  private async loadUntilDone(entry: FileInstance): Promise<void> {
    while (!this.stopping.signal.aborted && !(await this.isLoaded(entry))) {
      await sleep(RETRY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  /** @returns false when it is to be tried again */
  private async isLoaded({ host, port, modelName }: FileInstance): Promise<boolean> {
    try {
      await this.instances.register({ host, port, modelName });
      return true;
    } catch (error) {
      this.tell(`${host}:${port} of the instances file cannot be used yet`, error);
      if (modelName === undefined || !isSchedulerError(error, 'unreachable_instance')) return false;
    }
    try {
      await this.instances.expect({ host, port, modelName });
      return true;
    } catch (error) {
      this.tell(`${host}:${port} of the instances file cannot be recorded yet`, error);
      return false;
    }
  }

  private tell(what: string, error: unknown): void {
    this.logger.warn(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
