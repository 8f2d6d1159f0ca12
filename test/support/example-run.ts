import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { until } from './until';

const EXAMPLES = resolve(__dirname, '../../examples');

/** A script of the examples, in a process of its own. */
export class ExampleRun {
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  private text = '';

  private constructor(private readonly child: ChildProcess) {
    const keep = (chunk: string): void => void (this.text += chunk);
    child.stdout?.setEncoding('utf8').on('data', keep);
    child.stderr?.setEncoding('utf8').on('data', keep);
    this.ended = once(child, 'close').then(() => child.exitCode);
  }

  /** @param script below `examples`; @param env beside PATH */
  static start(
    script: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): ExampleRun {
    const child = spawn(process.execPath, [join(EXAMPLES, script), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...env },
    });
    return new ExampleRun(child);
  }

  /** Everything that it has written. */
  get output(): string {
    return this.text;
  }

  /** The first line that it writes. */
  async firstLine(): Promise<string> {
    await until(() => this.text.includes('\n'), 'the first line of the example');
    return this.text.split('\n')[0] ?? '';
  }

  /** SIGTERM, and waits for the end. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
  }
}
