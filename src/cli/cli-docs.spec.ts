import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { buildProgram } from './program';

const DOCS = readFileSync(join(__dirname, '..', '..', 'docs', 'cli.md'), 'utf8');
/** These have pages of their own. */
const ELSEWHERE = ['worker', 'simulate', 'predict'];

/** Flags of every verb, or of several: they stand where all verbs are told. */
const SHARED = ['--url', '--output', '--watch'];
/** A verb whose section says that it takes all flags of another. */
const LIKE: ReadonlyMap<string, string> = new Map([['config', 'serve']]);

/** The text under the heading that names the verb, perhaps among others. */
function sectionOf(verb: string): string {
  const sections = DOCS.split(/^## /m);
  const [own = ''] = sections.filter((section) => {
    return (
      section
        .split('\n', 1)[0]
        ?.split(/, | and /)
        .includes(verb) === true
    );
  });
  const like = LIKE.get(verb);
  return like === undefined ? own : own + sectionOf(like);
}

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
      const section = sectionOf(verb.name());
      for (const { commands, options } of withSubcommands(verb)) {
        const flags = options.map(({ long }) => long ?? '');
        const own = flags.filter((flag) => !SHARED.includes(flag));
        for (const flag of own) expect(section).toMatch(new RegExp(`${flag}(?![\\w-])`));
        for (const command of commands) {
          expect(section).toContain(`${verb.name()} ${command.name()}`);
        }
      }
    },
  );
});
