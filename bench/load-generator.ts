import autocannon, { type Client, type Request } from 'autocannon';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { announce } from './child';
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
const PATIENCE_S = 60;
const SAMPLE_MS = 50;
const PACE_MS = 1;
/** A prime: numbers that lie this far apart are scattered, and none comes twice in a round. */
const STRIDE = 7_919;
const JSON_BODY = { 'content-type': 'application/json' };

/** The parts of autocannon's client that its types leave out. */
interface RequestSource {
  getRequestBuffer: () => Buffer;
}

/** Where a request has its marks. */
interface Marked {
  readonly numbers: readonly number[];
  readonly instants: readonly number[];
  readonly seconds: readonly number[];
}

/** Gives each request its number and its time of sending. */
class Marker {
  private readonly known = new Map<Buffer, Marked>();
  private next: number;

  constructor(private readonly load: Load) {
    this.next = load.from ?? 0;
  }

  mark(request: Buffer): Buffer {
    const { numbers, instants, seconds } = this.marksOf(request);
    if (numbers.length > 0) write(request, numbers, this.number(), NUMBER);
    if (instants.length > 0) write(request, instants, monotonicMicros(), SENT_AT);
    if (seconds.length > 0) write(request, seconds, unixSeconds(), UNIX_SECONDS);
    return request;
  }

  private number(): number {
    const { among } = this.load;
    const number = this.next++;
    return among === undefined ? number : (number * STRIDE) % among;
  }

  private marksOf(request: Buffer): Marked {
    const known = this.known.get(request);
    if (known) return known;
    const marked = {
      numbers: placesOf(request, NUMBER),
      instants: placesOf(request, SENT_AT),
      seconds: placesOf(request, UNIX_SECONDS),
    };
    this.known.set(request, marked);
    return marked;
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

/** Each connection makes its next call as soon as the one before it is answered. */
function flood(origin: string, load: Load): Promise<Figures> {
  const { calls, connections = CONNECTIONS, requests, seconds = 1, status = 200 } = load;
  const marker = new Marker(load);
  const took: number[] = [];
  let began: number | undefined;
  let ended = 0;
  let clients = 0;
  return new Promise((resolve, reject) => {
    let unexpected: number | undefined;
    const setupClient = (client: Client): void => {
      client.setRequests(shareOf(calls, clients++, connections).map(requestOf));
      markEach(client, marker);
    };
    const verifyBody = (body: unknown): boolean => {
      if (unexpected !== undefined) fail(`${unexpected} ${String(body)}`);
      return true;
    };
    const amount = requests === undefined ? { duration: seconds } : { amount: requests };
    const options = { url: origin, connections, timeout: PATIENCE_S, setupClient, verifyBody };
    const run = autocannon({ ...options, ...amount, sampleInt: SAMPLE_MS }, () => {
      resolve(figuresOf(took, ended - (began ?? ended)));
    });
    const fail = (what: string): void => {
      run.stop();
      reject(new Error(what));
    };
    run.on('response', (_client, code, _bytes, ms) => {
      ended = performance.now();
      began ??= ended - ms;
      took.push(ms);
      if (code !== status) unexpected ??= code;
    });
    run.on('reqError', (error: Error) => fail(error.message));
  });
}

/** Every connection has its own part of many calls; few are begun at another place by each. */
function shareOf(calls: readonly Call[], client: number, connections: number): readonly Call[] {
  if (calls.length >= connections) return calls.filter((_, n) => n % connections === client);
  const first = client % calls.length;
  return [...calls.slice(first), ...calls.slice(0, first)];
}

function requestOf({ method, path, body }: Call): Request {
  return body === undefined ? { method, path } : { method, path, body, headers: { ...JSON_BODY } };
}

/** Writes the marks into the bytes that were built already: building them anew costs half the load. */
function markEach(client: Client, marker: Marker): void {
  const source = client as unknown as RequestSource;
  const next = source.getRequestBuffer.bind(client);
  source.getRequestBuffer = () => marker.mark(next());
}

/** Sends call after call at an even pace, whatever becomes of those before. */
async function pace(origin: string, load: Load): Promise<Figures> {
  const { calls, connections = CONNECTIONS, perSecond = 1, seconds = 1, status = 200 } = load;
  const pool = new Pool(origin, { connections });
  const marker = new Marker(load);
  const bodies = calls.map(({ body = '' }) => Buffer.from(body));
  const took: number[] = [];
  const open = new Set<Promise<void>>();
  const one = async (n: number): Promise<void> => {
    const { method, path } = calls[n % calls.length] ?? { method: 'GET', path: '/' };
    const body = Buffer.from(marker.mark(bodies[n % calls.length] ?? Buffer.alloc(0)));
    const began = performance.now();
    const answer = await pool.request({ method, path, headers: JSON_BODY, body });
    const said = await answer.body.text();
    took.push(performance.now() - began);
    if (answer.statusCode !== status) throw new Error(`${answer.statusCode} ${said}`);
  };
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1_000;
  let sent = 0;
  let failure: unknown;
  while (elapsed() < seconds && failure === undefined) {
    const due = Math.floor(elapsed() * perSecond);
    while (sent < due) {
      const call = one(sent++)
        .catch((error: unknown) => void (failure ??= error))
        .finally(() => void open.delete(call));
      open.add(call);
    }
    await sleep(PACE_MS);
  }
  await Promise.all(open);
  const lasted = elapsed();
  await pool.close();
  if (failure !== undefined) throw failure instanceof Error ? failure : new Error('failed');
  return figuresOf(took, lasted * 1_000);
}

function figuresOf(took: readonly number[], lastedMs: number): Figures {
  const sorted = Float64Array.from(took).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return {
    requests: took.length,
    perSecond: (took.length / lastedMs) * 1_000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

async function obey({ origin, load }: LoadOrder): Promise<LoadReport> {
  try {
    const figures = await (load.perSecond === undefined ? flood(origin, load) : pace(origin, load));
    return { figures };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (order: LoadOrder) => {
  void obey(order).then((report) => process.send?.(report));
});
announce();
