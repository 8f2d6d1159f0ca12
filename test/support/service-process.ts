import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { ENTRY } from './entry';
import { until } from './until';

/** An answer, its body parsed when it is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Json;
}

/** Whatever JSON holds: tests know what they look for. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

/** How a service is started. */
export interface ServiceOptions {
  readonly databaseUrl: string;
  /** 0 takes a free one; give the first service's port to its successor. */
  readonly port?: number;
  /** Further settings, by their names in the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The `main.js` to run. Default: that of the build that tests start. */
  readonly entry?: string;
}

const { scripts } = JSON.parse(
  readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8'),
) as { readonly scripts: { readonly start: string } };

/** What `npm start` tells Node.js. */
export const NODE_FLAGS = scripts.start.split(' ').filter((word) => word.startsWith('--'));

/** Patience for a start, in ms: a loaded machine takes its time. */
const START_MS = 30_000;

/** The built service as a process of its own. */
export class ServiceProcess {
  private output = '';

  private constructor(
    readonly child: ChildProcess,
    readonly exited: Promise<unknown>,
  ) {
    const keep = (chunk: Buffer): void => void (this.output += chunk.toString());
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  /** Starts it and waits until it says that it is ready, or stands by. */
  static async start(options: ServiceOptions): Promise<ServiceProcess> {
    const service = ServiceProcess.spawn(options);
    await until(() => service.isUp || service.hasEnded, 'the service to start', START_MS);
    if (!service.isUp) throw new Error(`the service ended:\n${service.log}`);
    return service;
  }

  /** Starts it and does not wait. */
  static spawn({ databaseUrl, port = 0, env = {}, entry = ENTRY }: ServiceOptions): ServiceProcess {
    const child = spawn(process.execPath, [...NODE_FLAGS, entry, 'serve', '--port', String(port)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        DATABASE_URL: databaseUrl,
        ...env,
      },
    });
    return new ServiceProcess(child, once(child, 'exit'));
  }

  get log(): string {
    return this.output;
  }

  /** Waits until it has logged that: a line may come in after the answer that it belongs to. */
  async hasLogged(what: RegExp): Promise<void> {
    await until(() => what.test(this.output), `the line ${String(what)} in its log`);
  }

  get isUp(): boolean {
    return /^Foresail (?:is ready|stands by)/m.test(this.output);
  }

  /** True when it said, on its start, that it leads. */
  get isLeading(): boolean {
    return this.output.includes('"msg":"leading"');
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Where it listens, as in `http://127.0.0.1:8102`. */
  get url(): string {
    const url = /^Foresail (?:is ready|stands by)[^\n]*?(http:\S+)$/m.exec(this.output)?.[1];
    if (url === undefined) throw new Error(`the service has not said where it is:\n${this.log}`);
    return url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.send('POST', path, JSON.stringify(body));
  }

  async send(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<Answer> {
    const init = { method: method as 'POST', headers, ...(body === undefined ? {} : { body }) };
    const answer = await request(`${this.url}${path}`, init);
    const text = await answer.body.text();
    const isJson = String(answer.headers['content-type']).includes('json');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (!this.hasEnded) this.child.kill('SIGKILL');
    await this.exited;
  }

  /** SIGTERM, and waits for the end. @returns the exit code */
  async stop(): Promise<number | null> {
    if (!this.hasEnded) this.child.kill('SIGTERM');
    await this.exited;
    return this.child.exitCode;
  }
}
