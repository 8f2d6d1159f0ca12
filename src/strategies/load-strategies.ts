import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { InputError } from '../config/input-error';
import type { PlacementStrategy, StrategyFactory } from '../core/strategy';
import { guard } from './guarded-strategy';

/** A strategy file cannot be used; the message names the file and what is wrong with it. */
export class StrategyFileError extends InputError {
  constructor(file: string, fault: string, options?: { cause?: unknown }) {
    super(`strategy file ${file}: ${fault}`, options);
    this.name = 'StrategyFileError';
  }
}

/**
 * Loads custom strategies: each file is a CommonJS module whose default export (or `module.exports`)
 * is a class without constructor arguments that implements `PlacementStrategy`.
 * @throws {StrategyFileError}
 */
export function loadStrategies(files: readonly string[]): readonly StrategyFactory[] {
  return files.map((file) => {
    const Strategy = classIn(file);
    assertStrategy(file, made(file, Strategy));
    return () => guard(new Strategy());
  });
}

type StrategyClass = new () => PlacementStrategy;

function classIn(file: string): StrategyClass {
  let loaded: unknown;
  try {
    // A path from the settings: known only at run time, so it cannot be an import.
    loaded = createRequire(__filename)(resolve(file));
  } catch (cause) {
    throw new StrategyFileError(file, `cannot be loaded (${String(cause)})`, { cause });
  }
  const exported = isRecord(loaded) && 'default' in loaded ? loaded['default'] : loaded;
  if (typeof exported !== 'function') {
    throw new StrategyFileError(file, 'must export a strategy class as its default');
  }
  return exported as StrategyClass;
}

function made(file: string, Strategy: StrategyClass): unknown {
  try {
    return new Strategy();
  } catch (cause) {
    throw new StrategyFileError(file, `its class cannot be made (${String(cause)})`, { cause });
  }
}

function assertStrategy(file: string, strategy: unknown): void {
  if (!isRecord(strategy)) throw new StrategyFileError(file, 'its class makes no object');
  const { name, binding } = strategy;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_-]{0,63}$/.test(name)) {
    throw new StrategyFileError(file, `name must be a word in lower case, not ${String(name)}`);
  }
  if (binding !== 'late' && binding !== 'early') {
    throw new StrategyFileError(file, `binding must be 'late' or 'early', not ${String(binding)}`);
  }
  const decides = [strategy['rank'], strategy['choose']].filter((f) => typeof f === 'function');
  if (decides.length !== 1) throw new StrategyFileError(file, 'must have either rank or choose');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}
