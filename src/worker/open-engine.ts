import type { Engine } from './engine';
import { CommandEngine } from './engines/command.engine';
import { SimulatedEngine } from './engines/simulated.engine';
import type { WorkerOptions } from './worker-options';

/** The engine that was asked for, ready to execute or with its outage known. */
export function openEngine(options: WorkerOptions): Engine {
  const { engine, speed, taskTimeoutMs, resultLimitBytes } = options;
  switch (engine.name) {
    case 'simulated':
      return new SimulatedEngine({ ...engine, speed });
    case 'command':
      return new CommandEngine({ ...engine, speed, taskTimeoutMs, resultLimitBytes });
  }
}
