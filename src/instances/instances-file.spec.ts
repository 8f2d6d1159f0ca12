import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { YamlFileError } from '../config/yaml-file';
import { readInstancesFile } from './instances-file';

const folder = mkdtempSync(join(tmpdir(), 'foresail-instances-'));
let files = 0;

function yaml(content: string): string {
  const file = join(folder, `${files++}.yaml`);
  writeFileSync(file, content);
  return file;
}

describe('readInstancesFile', () => {
  it('reads hosts, ports and models', () => {
    const file = yaml(
      'instances:\n  - {host: gpu-1, port: 8100}\n  - {host: GPU-2, port: 8101, model_name: llama}\n',
    );
    expect(readInstancesFile(file)).toEqual([
      { host: 'gpu-1', port: 8100, modelName: undefined },
      { host: 'gpu-2', port: 8101, modelName: 'llama' },
    ]);
  });

  it.each([
    [
      'a port that is none',
      'instances:\n  - host: a\n    port: 70000\n',
      /line 3: instances\.0\.port/,
    ],
    [
      'an entry without a host',
      'instances:\n  - host: a\n    port: 1\n  - port: 2\n',
      /line 4: instances\.1\.host/,
    ],
    ['an unknown field', 'instances:\n  - {host: a, port: 1, modle: x}\n', /line 2: .*modle/],
    [
      'a URL',
      'instances:\n  - {host: "http://a", port: 1}\n',
      /line 2: instances\.0\.host: host must/,
    ],
    ['no host at all', 'instances:\n  - {host: "", port: 1}\n', /line 2: instances\.0\.host/],
    [
      'an empty model',
      'instances:\n  - host: a\n    port: 1\n    model_name:\n',
      /line 4: .*model/,
    ],
    [
      'an address that stands twice',
      'instances:\n  - {host: a, port: 1}\n  - {host: b, port: 1}\n  - {host: a, port: 1}\n',
      /line 4: instances\.2: a:1 stands in the file twice/,
    ],
    ['no list', 'instances: 5\n', /line 1: instances/],
    ['another top', '- a\n', /line 1: the file/],
    ['broken YAML', 'instances: [\n', /line \d/],
    ['nothing', '', /the file/],
  ])('names line and field of %s', (_, content, message) => {
    const file = yaml(content);
    expect(() => readInstancesFile(file)).toThrow(YamlFileError);
    expect(() => readInstancesFile(file)).toThrow(message);
  });

  it('says that a file is not there', () => {
    expect(() => readInstancesFile(join(folder, 'none.yaml'))).toThrow(/cannot be read/);
  });
});
