import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { Scenario } from './scenario';
import type { ServiceProcess } from './service-process';
import { VirtualAddress } from './virtual-address';

const LOOK_MS = 50;
/** A service that is paused does not answer at all. */
const PATIENCE_MS = 500;

/**
 * Two services on one database, each at a port of its own, behind one address that leads to
 * whichever of them leads.
 */
export class ServicePair {
  private leading: ServiceProcess | undefined;
  private closed = false;
  private following: Promise<void> = Promise.resolve();

  private constructor(
    private readonly scenario: Scenario,
    private readonly members: ServiceProcess[],
    readonly address: VirtualAddress,
  ) {}

  /** Starts both; the first one leads. */
  static async start(scenario: Scenario): Promise<ServicePair> {
    const first = await scenario.serve();
    const second = await scenario.serveAt(0);
    const address = await VirtualAddress.listen(first.port);
    const pair = new ServicePair(scenario, [first, second], address);
    pair.leading = first;
    pair.following = pair.follow();
    return pair;
  }

  /** Where both are. */
  readonly urls = (): readonly string[] => this.members.map(({ url }) => url);

  /** The one that leads, as far as it is known; else the one that did last. */
  get leader(): ServiceProcess {
    const [first] = this.members;
    if (this.leading && this.members.includes(this.leading)) return this.leading;
    if (first) return first;
    throw new Error('there is no service');
  }

  get standby(): ServiceProcess {
    const { leader } = this;
    return this.members.find((member) => member !== leader) ?? leader;
  }

  /** Starts a new one in the place of a service that has ended. */
  async replace(ended: ServiceProcess): Promise<void> {
    const successor = await this.scenario.serveAt(ended.port);
    this.members[this.members.indexOf(ended)] = successor;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.following;
    await this.address.close();
  }

  private async follow(): Promise<void> {
    while (!this.closed) {
      for (const member of [...this.members]) {
        if (member !== this.leading && (await leads(member))) {
          this.leading = member;
          this.address.pointTo(member.port);
        }
      }
      await sleep(LOOK_MS);
    }
  }
}

/** A standby answers 503, and so does a leader whose database is away. */
async function leads({ url, hasEnded }: ServiceProcess): Promise<boolean> {
  if (hasEnded) return false;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { statusCode, body } = await request(`${url}/health`, { signal });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}
