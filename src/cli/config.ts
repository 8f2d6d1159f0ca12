import { Command } from 'commander';
import { maskPasswords } from '../config/config-error';
import type { SettingInForce } from '../config/load-config';
import { examplesText } from './client-verb';
import { EXIT_CODES_HELP, guarded } from './exit';
import { outputOption, print, tableText, type Column, type OutputFormat } from './output';
import { sourcesOf, withServeFlags, type ServeFlags } from './settings-flags';

interface PrintFlags extends ServeFlags {
  readonly output?: OutputFormat;
}

const EXAMPLES = ['foresail config print', 'foresail config example > foresail.yaml'];

/** `foresail config`: the settings that a start would take. Needs neither service nor database. */
export function configCommand(): Command {
  const config = new Command('config')
    .description('show the settings of the scheduler, and where they come from')
    .addHelpText('after', examplesText(EXAMPLES) + EXIT_CODES_HELP);
  withServeFlags(config.command('print'))
    .description('print every setting with its value and its source, passwords masked')
    .addOption(outputOption())
    .addHelpText('after', examplesText(['foresail config print --config foresail.yaml']))
    .action(guarded(printSettings));
  config
    .command('example')
    .description('print a YAML file with every setting, commented out, at its default')
    .addHelpText('after', examplesText(['foresail config example > foresail.yaml']))
    .action(guarded(printExample));
  return config;
}

async function printSettings({ output, ...flags }: PrintFlags): Promise<void> {
  const { settingsInForce } = await import('../config/load-config.js');
  const { clientSettingsInForce } = await import('../config/client-config.js');
  const scheduler = settingsInForce(sourcesOf(flags)).map(shown);
  const settings = [...scheduler, ...clientSettingsInForce()];
  print({ json: settings, text: () => tableText(settings, COLUMNS, '') }, output);
}

async function printExample(): Promise<void> {
  const { exampleYaml } = await import('../config/settings-docs.js');
  process.stdout.write(exampleYaml());
}

/** A setting as it may be shown. */
interface Shown {
  readonly name: string;
  /** Null: not set. */
  readonly value: unknown;
  readonly unit: string | null;
  readonly from: string;
}

function shown({ setting, value, from }: SettingInForce): Shown {
  return {
    name: setting.env,
    value: setting.secret === true ? hidden(value) : masked(value),
    unit: setting.unit ?? null,
    from,
  };
}

/** Whether there is one, and no more. */
function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(() => '***');
  return value === undefined ? null : '***';
}

/** Only URLs carry passwords; other texts may hold an @ of their own. */
function masked(value: unknown): unknown {
  if (typeof value === 'string' && value.includes('://')) return maskPasswords(value);
  return value ?? null;
}

const COLUMNS: readonly Column<Shown>[] = [
  { head: 'SETTING', value: ({ name }) => name },
  { head: 'VALUE', value: ({ value, unit }) => valueText(value, unit) },
  { head: 'FROM', value: ({ from }) => from },
];

function valueText(value: unknown, unit: string | null): string {
  if (value === null) return '–';
  if (typeof value === 'object' && Object.keys(value).length === 0) return '–';
  const plain = Array.isArray(value) ? value.join(', ') : value;
  const text = typeof plain === 'string' ? plain : JSON.stringify(plain);
  return unit === null ? text : `${text} ${unit}`;
}
