import { writeFile } from 'node:fs/promises';
import type { NestApplicationOptions } from '@nestjs/common';
import { Command } from 'commander';
import { examplesText } from './client-verb';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';
import { jsonText } from './output';

interface OpenApiFlags {
  readonly output?: string;
}

const EXAMPLES = ['foresail openapi --output openapi.json', 'foresail openapi | jq .paths'];

/** `foresail openapi`: the description of the API, without a service or a database. */
export function openApiCommand(): Command {
  return new Command('openapi')
    .description('write the OpenAPI document of the service')
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .addHelpText('after', examplesText(EXAMPLES) + EXIT_CODES_HELP)
    .action(guarded(writeDocument));
}

async function writeDocument({ output }: OpenApiFlags): Promise<void> {
  const text = jsonText(await documentOfService());
  if (output === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(output, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(EXIT.failed, `cannot write the document: ${reason}`);
  }
}

async function documentOfService(): Promise<object> {
  await import('reflect-metadata');
  const { NestFactory } = await import('@nestjs/core');
  const { pino } = await import('pino');
  const { AppModule } = await import('../app.module.js');
  const { loadConfig } = await import('../config/load-config.js');
  const { buildOpenApi } = await import('../http/openapi.js');
  const { LookupReloader } = await import('../predictions/lookup-reloader.js');
  const { BUILT_IN, StrategyRegistry } = await import('../strategies/strategy.registry.js');
  const { storeOf } = await import('../leading-app.js');
  const logger = pino({ level: 'silent' });
  const options = {
    // The document must not depend on the settings of the machine where it is written.
    config: loadConfig({ env: {} }),
    databaseUrl: 'postgresql://127.0.0.1/none',
    term: { epoch: 0, end: () => undefined },
    ownEndpoints: [],
    strategies: new StrategyRegistry(BUILT_IN),
    lookup: LookupReloader.open(undefined, logger),
    logger,
  };
  const module = AppModule.forTerm(options, storeOf(options));
  // A preview knows every controller and makes no object: nothing connects to the database.
  const preview: Partial<NestApplicationOptions> = {
    preview: true,
    logger: false,
    abortOnError: false,
  };
  return buildOpenApi(await NestFactory.create(module, preview));
}
