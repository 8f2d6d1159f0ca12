import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { buildProgram } from './program';

const DOCS = readFileSync(join(__dirname, '..', '..', 'docs', 'cli.md'), 'utf8');
/** These have pages of their own. */
const ELSEWHERE = ['worker', 'simulate', 'predict'];

const verbs = buildProgram().commands;
const documented = verbs.filter((verb) => !ELSEWHERE.includes(verb.name()));

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

describe('docs/cli.md', () => {
  it.each(verbs.map((verb) => [verb.name()]))('has the verb %s in its table', (name) => {
    expect(DOCS).toMatch(new RegExp(`^\\| .*\`${name}\``, 'm'));
  });

  it.each(documented.map((verb) => [verb.name(), verb] as const))(
    'has every flag and sub-verb of %s',
    (_, verb) => {
      for (const { commands, options } of withSubcommands(verb)) {
        for (const { long } of options) expect(DOCS).toContain(long);
        for (const command of commands) expect(DOCS).toContain(`${verb.name()} ${command.name()}`);
      }
    },
  );
});
