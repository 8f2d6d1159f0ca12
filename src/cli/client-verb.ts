import { Command, Option } from 'commander';
import { loadClientConfig } from '../config/client-config';
import { ApiClient, type ApiClientOptions } from './api-client';
import { httpUrl } from './arguments';
import { EXIT_CODES_HELP } from './exit';
import { outputOption, type OutputFormat } from './output';

/** Flags that every client of the REST API takes. */
export interface ClientFlags {
  readonly url?: string;
  readonly output?: OutputFormat;
}

/** The part of a help text that names the settings of clients. */
export const SETTINGS_HELP = `
Environment:
  FORESAIL_URL  where the scheduler is (default http://127.0.0.1:8102)
  FORESAIL_KEY  key to show, when the scheduler wants one ("foresail keys create" makes one)
`;

/**
 * A verb that is a client of the REST API: with `--url` and `--output`, and with a help text that
 * ends in examples, settings and exit codes.
 *
 * @param examples command lines without the prompt
 * @param notes what the help text says before the examples
 */
export function clientVerb(
  name: string,
  description: string,
  examples: readonly string[],
  notes = '',
): Command {
  return new Command(name)
    .description(description)
    .addOption(
      new Option('--url <url>', 'scheduler to talk to, before FORESAIL_URL').argParser(httpUrl),
    )
    .addOption(outputOption())
    .addHelpText('after', notes + examplesText(examples) + SETTINGS_HELP + EXIT_CODES_HELP);
}

/** The examples of a help text. @param examples command lines without the prompt */
export function examplesText(examples: readonly string[]): string {
  const title = examples.length === 1 ? 'Example' : 'Examples';
  return `\n${title}:\n${examples.map((line) => `  $ ${line}\n`).join('')}`;
}

/**
 * Opens a client by settings and flags, for whoever closes it.
 * @throws {ConfigError} for wrong settings
 */
export function openClient(
  { url }: ClientFlags,
  options: ApiClientOptions = {},
): Promise<ApiClient> {
  const config = loadClientConfig();
  return ApiClient.open(url === undefined ? config : { ...config, url }, options);
}

/**
 * Opens a client by settings and flags for one use; closes it after that, whatever happens.
 * @throws {ConfigError} for wrong settings, and what `use` throws
 */
export async function withClient<T>(
  flags: ClientFlags,
  use: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const client = await openClient(flags);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
