import { setTimeout as sleep } from 'node:timers/promises';
import { announce } from './child';
import { HttpClient, requestBytes } from './http-client';
import {
  NUMBER,
  SENT_AT,
  UNIX_SECONDS,
  type Call,
  type Figures,
  type Load,
  type LoadOrder,
  type LoadReport,
} from './load';

/**
 * Makes load, as `LoadGenerator` tells it. What it costs hides what is measured on the same cores, so
 * that requests are built once, and only their marks are written anew.
 */
const CONNECTIONS = 32;
const LEAST_PAUSE_MS = 1;
/** A prime: numbers that lie this far apart are scattered, and none comes twice in a round. */
const STRIDE = 7_919;

/** A request as it is sent, but for its marks, and where it has them. */
class Template {
  private readonly bytes: Buffer;
  private readonly numbers: readonly number[];
  private readonly instants: readonly number[];
  private readonly seconds: readonly number[];

  constructor({ method, path, body }: Call) {
    this.bytes = requestBytes(method, path, body);
    this.numbers = placesOf(this.bytes, NUMBER);
    this.instants = placesOf(this.bytes, SENT_AT);
    this.seconds = placesOf(this.bytes, UNIX_SECONDS);
  }

  /** A request of its own. @param number gives the next number */
  fill(number: () => number): Buffer {
    const request = Buffer.from(this.bytes);
    if (this.numbers.length > 0) write(request, this.numbers, number(), NUMBER);
    if (this.instants.length > 0) write(request, this.instants, monotonicMicros(), SENT_AT);
    if (this.seconds.length > 0) write(request, this.seconds, unixSeconds(), UNIX_SECONDS);
    return request;
  }
}

function placesOf(request: Buffer, mark: string): readonly number[] {
  const places: number[] = [];
  for (let at = request.indexOf(mark); at >= 0; at = request.indexOf(mark, at + 1)) places.push(at);
  return places;
}

function write(request: Buffer, places: readonly number[], value: number, mark: string): void {
  const text = String(value).padStart(mark.length, '0');
  for (const place of places) request.write(text, place, 'latin1');
}

/** The clock is the same for all processes of the machine. */
function monotonicMicros(): number {
  return Math.floor(Number(process.hrtime.bigint()) / 1_000);
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}

/** The calls of a load in turn, each with its number and the time of its sending. */
class Calls {
  private readonly templates: readonly Template[];
  private made = 0;
  private number: number;

  constructor(private readonly load: Load) {
    this.templates = load.calls.map((call) => new Template(call));
    this.number = load.from ?? 0;
  }

  next(): Buffer {
    const template = this.templates[this.made++ % this.templates.length];
    if (template === undefined) throw new Error('a load has calls');
    return template.fill(() => this.nextNumber());
  }

  private nextNumber(): number {
    const { among } = this.load;
    const number = this.number++;
    return among === undefined ? number : (number * STRIDE) % among;
  }
}

/** One load under way: makes calls and notes how long each took. */
class Run {
  private readonly calls: Calls;
  private readonly took: number[] = [];
  private readonly began = performance.now();

  constructor(
    private readonly client: HttpClient,
    private readonly load: Load,
  ) {
    this.calls = new Calls(load);
  }

  get elapsedS(): number {
    return (performance.now() - this.began) / 1_000;
  }

  /** @throws {Error} if the answer has another status than it should */
  async call(): Promise<void> {
    const { status: expected = 200 } = this.load;
    const began = performance.now();
    const { status, text } = await this.client.send(this.calls.next());
    this.took.push(performance.now() - began);
    if (status !== expected) throw new Error(`${status} ${text()}`);
  }

  figures(): Figures {
    const lasted = this.elapsedS;
    const sorted = Float64Array.from(this.took).sort();
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
    const requests = sorted.length;
    return { requests, perSecond: requests / lasted, p50Ms: at(0.5), p99Ms: at(0.99) };
  }
}

/** Each connection makes its next call as soon as the one before it is answered. */
async function flood(run: Run, load: Load, connections: number): Promise<void> {
  const { requests = Infinity, seconds = Infinity } = load;
  if (load.requests === undefined && load.seconds === undefined) throw new Error('it has no end');
  let left = requests;
  const callOn = async (): Promise<void> => {
    while (left > 0 && run.elapsedS < seconds) {
      left -= 1;
      await run.call();
    }
  };
  await Promise.all(Array.from({ length: connections }, callOn));
}

/** Makes call after call at an even pace, whatever becomes of those before. */
async function pace(run: Run, perSecond: number, seconds: number): Promise<void> {
  const open = new Set<Promise<void>>();
  let failure: Error | undefined;
  let made = 0;
  while (run.elapsedS < seconds && failure === undefined) {
    for (const due = Math.floor(run.elapsedS * perSecond); made < due; made += 1) {
      const call = run
        .call()
        .catch((error: unknown) => void (failure ??= error as Error))
        .finally(() => void open.delete(call));
      open.add(call);
    }
    const nextS = (made + 1) / perSecond;
    await sleep(Math.max(LEAST_PAUSE_MS, (nextS - run.elapsedS) * 1_000));
  }
  await Promise.all(open);
  if (failure !== undefined) throw failure;
}

async function drive(origin: string, load: Load): Promise<Figures> {
  const { connections = CONNECTIONS, perSecond, seconds = 1 } = load;
  const client = await HttpClient.open(origin, connections);
  try {
    const run = new Run(client, load);
    await (perSecond === undefined ? flood(run, load, connections) : pace(run, perSecond, seconds));
    return run.figures();
  } finally {
    client.close();
  }
}

async function obey({ origin, load }: LoadOrder): Promise<LoadReport> {
  try {
    return { figures: await drive(origin, load) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (order: LoadOrder) => {
  void obey(order).then((report) => process.send?.(report));
});
announce();
