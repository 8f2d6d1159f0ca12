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

/**
 * Registers what the instances file lists; what cannot be reached yet comes into use by itself. Who
 * is in service already, as after a restart, is left alone: another registration would mean that the
 * worker may have lost what it is at.
 */
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
    for (const entry of readInstancesFile(instancesFile)) {
      if (!this.instances.isServing(entry)) void this.loadUntilDone(entry);
    }
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  private async loadUntilDone(entry: FileInstance): Promise<void> {
    const { signal } = this.stopping;
    for (let told = ''; !signal.aborted;) {
      const why = await this.load(entry);
      if (why === undefined) return;
      if (why !== told) this.logger.warn(`${entry.host}:${entry.port} cannot be used yet: ${why}`);
      told = why;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns why it is to be tried again; undefined when it is registered */
  private async load({ host, port, modelName }: FileInstance): Promise<string | undefined> {
    try {
      await this.instances.register({ host, port, modelName });
      return undefined;
    } catch (error) {
      const isAway = isSchedulerError(error, 'unreachable_instance');
      if (modelName === undefined || !isAway) return messageOf(error);
      this.logger.debug(messageOf(error));
    }
    try {
      await this.instances.expect({ host, port, modelName });
      this.logger.warn(`${host}:${port} does not answer yet; it gets its tasks when it does`);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
