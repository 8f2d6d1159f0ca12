import { buildProgram } from './cli/program';

/** Runs the command that was asked for; without one, the service. */
async function main(argv: readonly string[]): Promise<void> {
  await buildProgram().parseAsync(argv.length > 0 ? [...argv] : ['serve'], { from: 'user' });
}

void main(process.argv.slice(2));
