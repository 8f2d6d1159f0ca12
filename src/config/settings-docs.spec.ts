import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadConfig } from './load-config';
import { exampleYaml, settingsTable } from './settings-docs';
import { SETTINGS_BY_ENV, settingOfYamlKey } from './setting-names';

const documented = [...SETTINGS_BY_ENV.values()].filter((setting) => setting.hidden !== true);

describe('settings', () => {
  it('have names, meanings and defaults that they take themselves', () => {
    for (const setting of SETTINGS_BY_ENV.values()) {
      expect(setting.env).toMatch(/^(FORESAIL_[A-Z_]+|DATABASE_URL)$/);
      expect(setting.description).toMatch(/\.$/);
      const { fallback, schema } = setting;
      if (fallback !== undefined) expect(schema.safeParse(fallback).success).toBe(true);
    }
  });

  it('have names of their own, also without the prefix', () => {
    for (const setting of SETTINGS_BY_ENV.values()) {
      const short = setting.env.replace('FORESAIL_', '').toLowerCase();
      expect(settingOfYamlKey(short)).toBe(setting);
      expect(settingOfYamlKey(setting.env.toLowerCase())).toBe(setting);
    }
  });
});

describe('settingsTable', () => {
  it('has a row of four cells for every setting', () => {
    const lines = settingsTable().split('\n');
    expect(lines).toHaveLength(documented.length + 3);
    for (const line of lines) expect(line.split(/(?<!\\)\|/)).toHaveLength(6);
    expect(settingsTable()).toContain('| `FORESAIL_PORT` | `8102` |  | Port to listen on');
    expect(settingsTable()).not.toContain('CRASH');
  });

  it('stands in docs/operating.md as it is now; `npm run docs:settings` writes it', () => {
    const docs = readFileSync(join(__dirname, '..', '..', 'docs', 'operating.md'), 'utf8');
    const [, table] = /<!-- settings -->\n([^]*)<!-- \/settings -->/.exec(docs) ?? [];

    expect(table?.trim()).toBe(settingsTable());
  });
});

describe('exampleYaml', () => {
  it('changes nothing as it is, and loads to the defaults when every entry is uncommented', () => {
    expect(parse(exampleYaml())).toBeNull();
    const entries = exampleYaml()
      .split('\n')
      .filter((line) => /^# [a-z_]+:/.test(line))
      .map((line) => line.slice(2));
    expect(entries).toHaveLength(documented.length);
    const values = parse(entries.join('\n')) as Record<string, unknown>;
    const env = Object.fromEntries(
      Object.entries(values)
        .filter(([, value]) => value !== null)
        .map(([key, value]) => [key.toUpperCase(), isNothing(value) ? '' : String(value)]),
    );
    expect(loadConfig({ env })).toEqual(loadConfig({ env: {} }));
  });
});

/** An empty list or mapping, which the environment cannot say. */
function isNothing(value: unknown): boolean {
  return typeof value === 'object' && Object.keys(value ?? {}).length === 0;
}
