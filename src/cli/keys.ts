import { Command } from 'commander';
import type { ApiKeyEntity } from '../persistence/entities/api-key.entity';
import type { KeysRepository } from '../persistence/keys.repository';
import { nameText, numberFrom } from './arguments';
import { examplesText } from './client-verb';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';
import {
  formatOf,
  instantText,
  jsonText,
  outputOption,
  tableText,
  type Column,
  type OutputFormat,
} from './output';
import { withSettingsFlags, type SettingsFlags } from './settings-flags';
import { withDatabase } from './with-database';

interface KeysFlags extends SettingsFlags {
  readonly output?: OutputFormat;
}

const DAY_MS = 86_400_000;
/** A minute and a half: a key that has ended when it is shown helps nobody. */
const LEAST_DAYS = 0.001;
const MOST_DAYS = 36_500;

const NOTES = `
Keys are made in the database that the settings name; an embedded one is started for the moment.
While no key was ever made, everything is allowed from this machine; once one was, calls need one.
`;

/** `foresail keys`: who may call the service. Needs the database, not the service. */
export function keysCommand(): Command {
  const keys = new Command('keys')
    .description('make, list and revoke keys of the API')
    .addHelpText('after', NOTES + examplesText(EXAMPLES) + EXIT_CODES_HELP);
  withSettingsFlags(keys.command('create'))
    .description('make a key and print it; it is shown this once')
    .option('--label <text>', 'whose key it is, for people', nameText, '')
    .option(
      '--expires-in <days>',
      'days until it ends (default: never)',
      numberFrom(LEAST_DAYS, MOST_DAYS),
    )
    .addOption(outputOption())
    .addHelpText('after', examplesText(['foresail keys create --label ci']))
    .action(guarded(create));
  withSettingsFlags(keys.command('list'))
    .description('list every key ever made, without the keys themselves')
    .addOption(outputOption())
    .addHelpText('after', examplesText(['foresail keys list -o json']))
    .action(guarded(list));
  withSettingsFlags(keys.command('revoke'))
    .description('make a key worthless from now on')
    .argument('<id>', 'its id, or its public prefix', nameText)
    .addHelpText('after', examplesText(['foresail keys revoke 3f9a0c7e51d2']))
    .action(guarded(revoke));
  return keys;
}

const EXAMPLES = ['foresail keys create --label ci', 'foresail keys list'];

async function create(
  flags: KeysFlags & { readonly label: string; readonly expiresIn?: number },
): Promise<void> {
  const { label, expiresIn } = flags;
  const expiresAt = expiresIn === undefined ? null : new Date(Date.now() + expiresIn * DAY_MS);
  const { text, record } = await withKeys(flags, (keys) => keys.create(label, expiresAt));
  if (formatOf(flags.output) === 'json') {
    process.stdout.write(jsonText({ key: text, ...shown(record) }));
    return;
  }
  process.stdout.write(`${text}\n`);
  process.stderr.write('keep it safe, it is not shown again; clients send it from FORESAIL_KEY\n');
}

async function list(flags: KeysFlags): Promise<void> {
  const records = await withKeys(flags, (keys) => keys.list());
  const rows = records.map(shown);
  const asJson = formatOf(flags.output) === 'json';
  process.stdout.write(asJson ? jsonText(rows) : tableText(rows, COLUMNS, 'no key was made yet'));
}

async function revoke(id: string, flags: SettingsFlags): Promise<void> {
  const revoked = await withKeys(flags, (keys) => keys.revoke(id));
  if (revoked) {
    process.stdout.write(`revoked ${id}\n`);
    return;
  }
  const hint = '"foresail keys list" shows them all';
  throw new CommandFailure(EXIT.failed, `there is no key ${id} that is not revoked yet; ${hint}`);
}

/** A key as the outside sees it; times are ISO 8601. */
interface ShownKey {
  readonly id: string;
  readonly prefix: string;
  readonly label: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

function shown({ id, prefix, label, ...at }: ApiKeyEntity): ShownKey {
  return {
    id,
    prefix,
    label,
    created_at: at.createdAt.toISOString(),
    expires_at: at.expiresAt?.toISOString() ?? null,
    revoked_at: at.revokedAt?.toISOString() ?? null,
    last_used_at: at.lastUsedAt?.toISOString() ?? null,
  };
}

const COLUMNS: readonly Column<ShownKey>[] = [
  { head: 'PREFIX', value: ({ prefix }) => prefix },
  { head: 'LABEL', value: ({ label }) => label },
  { head: 'CREATED', value: ({ created_at: at }) => dateText(at, '–') },
  { head: 'LAST USED', value: ({ last_used_at: at }) => dateText(at, 'never') },
  { head: 'EXPIRES', value: ({ expires_at: at }) => dateText(at, 'never') },
  { head: 'REVOKED', value: ({ revoked_at: at }) => dateText(at, '–') },
  { head: 'ID', value: ({ id }) => id },
];

function dateText(at: string | null, otherwise: string): string {
  return at === null ? otherwise : instantText(Date.parse(at));
}

async function withKeys<T>(
  flags: SettingsFlags,
  use: (keys: KeysRepository) => Promise<T>,
): Promise<T> {
  const { KeysRepository: Repository } = await import('../persistence/keys.repository.js');
  return withDatabase(flags, 'keys', (source) => use(new Repository(source)));
}
