import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { YamlFileError } from '../config/yaml-file';
import { readFleetFile } from './fleet-file';
import { FLEET_PRESETS } from './fleets';

describe('fleets of a simulation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'foresail-fleet-'));
  const path = join(folder, 'fleet.yaml');

  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads instances, each with a name, speed 1, one slot and once unless it says otherwise', () => {
    writeFileSync(path, 'instances:\n  - {name: a100, speed: 2, slots: 4, count: 2}\n  - {}\n');
    expect(readFleetFile(path)).toEqual([
      { name: 'a100-1', speed: 2, slots: 4 },
      { name: 'a100-2', speed: 2, slots: 4 },
      { name: 'instance-3', speed: 1, slots: 1 },
    ]);
  });

  it.each([
    ['instances:\n  - {speed: 0}\n', 'line 2: instances.0.speed'],
    ['instances: []\n', 'line 1: instances'],
    ['instances:\n  - {sped: 1}\n', 'line 2'],
    ['instances: [', 'line 1'],
  ])('refuses %j, naming the line', (text, message) => {
    writeFileSync(path, text);
    expect(() => readFleetFile(path)).toThrow(YamlFileError);
    expect(() => readFleetFile(path)).toThrow(message);
  });

  it('knows fleets by name', () => {
    expect([...FLEET_PRESETS.keys()]).toEqual(['equal8', 'equal8x4', 'mixed8']);
    expect(FLEET_PRESETS.get('mixed8')?.map(({ speed }) => speed)).toEqual([
      1, 1, 2, 4, 1, 1, 2, 4,
    ]);
  });
});
