import type { Logger } from 'pino';
import { systemRandom } from '../ops/system';
import type { Engine } from './engine';
import { CommandEngine } from './engines/command.engine';
import { OpenAiEngine } from './engines/openai.engine';
import { SimulatedEngine } from './engines/simulated.engine';
import type { WorkerOptions } from './worker-options';

/** The engine that was asked for, ready to execute or with its outage known. */
export async function openEngine(options: WorkerOptions, log: Logger): Promise<Engine> {
  const { engine, speed, taskTimeoutMs, resultLimitBytes } = options;
  switch (engine.name) {
    case 'simulated':
      return new SimulatedEngine({ ...engine, speed });
    case 'command':
      return new CommandEngine({ ...engine, speed, taskTimeoutMs, resultLimitBytes });
    case 'openai': {
      const surroundings = { random: systemRandom, log };
      return OpenAiEngine.open({ ...engine, speed, taskTimeoutMs, resultLimitBytes }, surroundings);
    }
  }
}
