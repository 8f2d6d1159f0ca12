import { stringify } from 'yaml';
import { SETTINGS_BY_ENV } from './setting-names';
import type { Setting } from './setting';

/** The settings as a Markdown table, one row per setting: name, default, unit, meaning. */
export function settingsTable(): string {
  const rows = documented().map((setting) =>
    row([`\`${setting.env}\``, shownDefault(setting), setting.unit ?? '', meaning(setting)]),
  );
  const file =
    'YAML file of settings, under the names of this table in lower case, with or without ' +
    '`foresail_`. The environment goes before the file, a flag before both.';
  return [
    row(['Setting', 'Default', 'Unit', 'Meaning']),
    row(['---', '---', '---', '---']),
    row(['`FORESAIL_CONFIG`', '', '', file]),
    ...rows,
  ].join('\n');
}

/** A YAML file that holds every setting, commented out, at its default. */
export function exampleYaml(): string {
  const entries = documented().map((setting) => {
    const unit = setting.unit === undefined ? '' : ` [${setting.unit}]`;
    const value = setting.fallback === undefined ? '' : written(setting.fallback);
    const line = `# ${setting.env.toLowerCase()}: ${value}`.trimEnd();
    return `# ${setting.description}${unit}\n# Allowed: ${setting.allowed}.\n${line}\n`;
  });
  return entries.join('\n');
}

function documented(): Setting<unknown>[] {
  return [...SETTINGS_BY_ENV.values()].filter((setting) => setting.hidden !== true);
}

function shownDefault({ fallback }: Setting<unknown>): string {
  if (fallback === undefined || isEmpty(fallback)) return '';
  return `\`${written(fallback)}\``;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function written(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return stringify(value).trim();
}

function meaning({ description, allowed }: Setting<unknown>): string {
  return `${description} Allowed: ${allowed}.`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
