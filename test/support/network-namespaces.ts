import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PREFIX = 'foresail-test';

/** A machine of its own, as far as the network goes. */
export interface VirtualMachine {
  /** Runs a program there, when put before it. */
  readonly within: readonly string[];
}

/** One end of a cable: the machine that it is plugged into, and its addresses there. */
export interface CableEnd {
  readonly machine: string;
  /** With prefix lengths, as in `10.77.1.1/24`. */
  readonly addresses: readonly string[];
}

/** Why there can be no namespaces here; undefined when there can. Making one is the only proof. */
export function namespacesFault(): string | undefined {
  const name = `${PREFIX}-${process.pid}-trial`;
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', name], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no network namespaces here: ${error instanceof Error ? error.message.trim() : String(error)}`;
  }
}

/** Machines made of Linux network namespaces, and the cables between them. Nothing leads outside. */
export class NetworkNamespaces {
  private readonly names = new Map<string, string>();
  private cables = 0;

  /** Removes what dead test processes have left behind. */
  static async sweep(): Promise<void> {
    const { stdout } = await run('ip', ['netns', 'list']);
    for (const [, name = '', pid = ''] of stdout.matchAll(/^(foresail-test-(\d+)-\w+)/gm)) {
      if (!isAlive(Number(pid))) await run('ip', ['netns', 'del', name]);
    }
  }

  /** A new machine that knows loopback only. */
  async add(machine: string): Promise<VirtualMachine> {
    const name = `${PREFIX}-${process.pid}-${machine}`;
    await run('ip', ['netns', 'add', name]);
    this.names.set(machine, name);
    await this.ip(machine, 'link', 'set', 'lo', 'up');
    return { within: ['ip', 'netns', 'exec', name] };
  }

  /** Joins two machines. */
  async connect(one: CableEnd, other: CableEnd): Promise<void> {
    const cable = this.cables++;
    const [from, to] = [`a${cable}`, `b${cable}`];
    const peer = ['peer', 'name', to, 'netns', this.nameOf(other.machine)];
    await this.ip(one.machine, 'link', 'add', from, 'type', 'veth', ...peer);
    for (const [{ machine, addresses }, device] of [[one, from] as const, [other, to] as const]) {
      await this.ip(machine, 'link', 'set', device, 'up');
      for (const address of addresses) {
        // Without the search for twins an IPv6 address is usable at once.
        const usable = address.includes(':') ? ['nodad'] : [];
        await this.ip(machine, 'addr', 'add', address, 'dev', device, ...usable);
      }
    }
  }

  /** Takes all machines away; their cables go with them. */
  async close(): Promise<void> {
    for (const name of this.names.values()) await run('ip', ['netns', 'del', name]);
  }

  private async ip(machine: string, ...args: readonly string[]): Promise<void> {
    await run('ip', ['-n', this.nameOf(machine), ...args]);
  }

  private nameOf(machine: string): string {
    const name = this.names.get(machine);
    if (name === undefined) throw new Error(`there is no machine ${machine}`);
    return name;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
