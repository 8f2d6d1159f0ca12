import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strategyName } from '../core/units';
import { loadStrategies, StrategyFileError } from './load-strategies';
import { BUILT_IN, StrategyRegistry } from './strategy.registry';

const folder = mkdtempSync(join(tmpdir(), 'foresail-strategies-'));
let files = 0;

function strategyFile(source: string): string {
  const file = join(folder, `strategy-${files++}.js`);
  writeFileSync(file, source);
  return file;
}

const GOOD = `module.exports = class { name = 'fewest'; binding = 'late'; rank(s) { return s.occupied; } };`;

describe('StrategyRegistry', () => {
  it('knows those that come with the scheduler', () => {
    const names = new StrategyRegistry(BUILT_IN).names();
    expect(names).toEqual([
      'earliest',
      'shortest_queue',
      'round_robin',
      'weighted',
      'probabilistic',
      'least_loaded',
      'best_fit',
    ]);
  });

  it('makes a new object for every queue', () => {
    const registry = new StrategyRegistry(BUILT_IN);
    const name = strategyName('round_robin');
    expect(registry.create(name)).not.toBe(registry.create(name));
  });

  it('names the valid ones when it is asked for another', () => {
    const registry = new StrategyRegistry(BUILT_IN);
    expect(registry.has('constructor')).toBe(false);
    expect(() => registry.create(strategyName('fastest'))).toThrow(/"fastest"; valid: earliest, /);
  });

  it('refuses two strategies of one name', () => {
    expect(() => new StrategyRegistry([...BUILT_IN, ...BUILT_IN])).toThrow(/two strategies/);
  });
});

describe('a strategy from a file', () => {
  it('is offered beside the others', () => {
    const registry = new StrategyRegistry([...BUILT_IN, ...loadStrategies([strategyFile(GOOD)])]);
    expect(registry.create(strategyName('fewest'))).toMatchObject({ binding: 'late' });
  });

  it('may be a default export', () => {
    const source = GOOD.replace('module.exports', 'exports.default');
    expect(loadStrategies([strategyFile(source)])).toHaveLength(1);
  });

  it.each([
    ['is not there', join(folder, 'none.js'), /cannot be loaded/],
    ['does not parse', strategyFile('class {'), /cannot be loaded/],
    ['exports no class', strategyFile('module.exports = 1'), /must export a strategy class/],
    ['has no name', strategyFile(GOOD.replace(`name = 'fewest';`, '')), /name must be a word/],
    ['has a wrong binding', strategyFile(GOOD.replace(`'late'`, `'never'`)), /binding must be/],
    ['neither ranks nor chooses', strategyFile(GOOD.replace('rank(', 'sort(')), /rank or choose/],
  ])('stops the start when it %s', (_, file, message) => {
    expect(() => loadStrategies([file])).toThrow(StrategyFileError);
    expect(() => loadStrategies([file])).toThrow(message);
    expect(() => loadStrategies([file])).toThrow(file);
  });
});
