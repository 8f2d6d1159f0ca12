import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A part of a trial in a process of its own. It says on which ports it listens. */
export interface Part {
  readonly child: ChildProcess;
  readonly ports: readonly number[];
}

/** Starts `bench/<name>.ts` and waits until it listens. */
export async function startPart(name: string, ...args: readonly string[]): Promise<Part> {
  const child = fork(join(__dirname, `${name}.ts`), [...args], {
    execArgv: ['-r', join(__dirname, 'register.js')],
  });
  const [message] = (await once(child, 'message')) as [{ readonly ports: readonly number[] }];
  return { child, ports: message.ports };
}

/** Of a part: says that it listens on these ports. It ends when whoever started it is gone. */
export function announce(...ports: readonly number[]): void {
  process.once('disconnect', () => process.exit());
  process.send?.({ ports });
}

/** Ends it. */
export async function endPart({ child }: Part): Promise<void> {
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}
