import { join } from 'node:path';
import { clusterUrl } from '../src/persistence/embedded/cluster-status';
import { removeScratch, scratchDirectory } from '../test/support/scratch';
import { ServiceProcess } from '../test/support/service-process';
import { until } from '../test/support/until';
import { endPart, startPart, type Part } from './child';
import { LoadGenerator, type Figures, type Load } from './load';
import { cpuMs } from './process-cost';

const PATIENCE_MS = 300_000;
/** Nothing of what is measured ends at a limit that is there to protect the memory. */
const UNLIMITED = { FORESAIL_LIVE_TASKS: '10000000', FORESAIL_QUEUE_LIMIT: '10000000' };

/** How a service of the bench is started. */
export interface Start {
  /** Keeps its data apart from that of the others. */
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The `main.js` to run. Default: that of this tree's build. */
  readonly entry?: string;
}

/** A service and its own database. */
export interface Served {
  readonly service: ServiceProcess;
  readonly databaseUrl: string;
}

/** What a load came to, and what it cost the process that answered. */
export interface Costed extends Figures {
  /** µs of processor time per request. */
  readonly cpuMicros: number;
}

/** What one figure starts; everything ends with it. */
export class Surroundings {
  private readonly services: ServiceProcess[] = [];
  private readonly parts: Part[] = [];
  private readonly generators: LoadGenerator[] = [];

  private constructor(
    readonly folder: string,
    private readonly generator: LoadGenerator,
  ) {}

  /** Lends them to `use`, and clears everything away after it. */
  static async lend<T>(
    generator: LoadGenerator,
    use: (surroundings: Surroundings) => Promise<T>,
  ): Promise<T> {
    const surroundings = new Surroundings(await scratchDirectory(), generator);
    try {
      return await use(surroundings);
    } finally {
      await surroundings.clear();
    }
  }

  /** Starts a service on an embedded database of its own, and waits until it leads. */
  async serve(start: Start): Promise<Served> {
    const service = await this.standBy(start);
    await untilLeading(service);
    return { service, databaseUrl: await clusterUrl(this.homeOf(start)) };
  }

  /** Starts a service and does not wait until it leads: another one of the same name may. */
  async standBy({ name, env = {}, entry }: Start): Promise<ServiceProcess> {
    const service = await ServiceProcess.start({
      databaseUrl: '',
      env: { ...UNLIMITED, FORESAIL_DATA_DIR: this.homeOf({ name }), ...env },
      ...(entry === undefined ? {} : { entry }),
    });
    this.services.push(service);
    return service;
  }

  /** Starts another part of the bench in a process of its own. */
  async start(name: string, ...args: readonly string[]): Promise<Part> {
    const part = await startPart(name, ...args);
    this.parts.push(part);
    return part;
  }

  /** Starts another generator, for what goes on beside a load. */
  async startGenerator(): Promise<LoadGenerator> {
    const generator = await LoadGenerator.start();
    this.generators.push(generator);
    return generator;
  }

  /** Drives a load against what a process of that id serves. */
  async drive(pid: number | undefined, origin: string, load: Load): Promise<Costed> {
    const before = cpuMs(pid);
    const figures = await this.generator.drive(origin, load);
    return { ...figures, cpuMicros: ((cpuMs(pid) - before) * 1_000) / figures.requests };
  }

  private homeOf({ name }: Start): string {
    return join(this.folder, name);
  }

  private async clear(): Promise<void> {
    await Promise.all(this.generators.map((generator) => generator.stop()));
    // Workers go before the service that they report to.
    await Promise.all(this.parts.map((part) => endPart(part)));
    await Promise.all(this.services.map((service) => service.kill()));
    await removeScratch(this.folder);
  }
}

/** Waits until the service answers as the one that leads. */
export async function untilLeading(service: ServiceProcess): Promise<void> {
  const leads = async (): Promise<boolean> => (await service.get('/health')).status === 200;
  await until(leads, 'leadership', PATIENCE_MS);
}
