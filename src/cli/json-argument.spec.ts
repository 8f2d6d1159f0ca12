import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from './exit';
import { jsonObjectText } from './json-argument';

describe('jsonObjectText', () => {
  it('gives the text back as it is', async () => {
    const text = ' {"n": 9007199254740993, "a": 1.0}';

    expect(await jsonObjectText('--input', text)).toBe(text);
  });

  it('reads a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'foresail-json-'));
    await writeFile(join(folder, 'in.json'), '{"a":1}\n');

    expect(await jsonObjectText('--input', `@${join(folder, 'in.json')}`)).toBe('{"a":1}\n');
    await rm(folder, { recursive: true });
  });

  it.each([
    ['[1]', 'the argument is a list'],
    ['null', 'the argument is null'],
    ['3', 'the argument is a number'],
    ['"x"', 'the argument is a string'],
    ['{a:1}', 'the argument is not JSON'],
    ['', 'the argument is not JSON'],
    ['@/absent/file', 'ENOENT'],
  ])('refuses %s', async (argument, message) => {
    const reading = jsonObjectText('--input', argument);

    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toMatchObject({ exitCode: EXIT.usage });
  });
});
