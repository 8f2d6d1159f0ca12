import type { WorkerOptions } from '../worker/worker-options';
import { workerFlags, workerOptions } from './worker';

/** What a worker would be started with. */
function parsed(...flags: string[]): WorkerOptions {
  const command = workerFlags()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(flags, { from: 'user' });
  return workerOptions(command.opts(), command.args, 'secret');
}

describe('foresail worker', () => {
  it('needs a model and has a default for the rest', () => {
    expect(parsed('--model', 'm')).toEqual({
      host: '127.0.0.1',
      port: 8100,
      advertise: '127.0.0.1',
      trustedNetworks: [],
      key: 'secret',
      model: 'm',
      engine: { name: 'simulated', timeScale: 1, seed: 1 },
      replicas: 1,
      speed: 1,
      taskTimeoutMs: 3_600_000,
      resultLimitBytes: 1_048_576,
      drainTimeoutMs: 60_000,
      logLevel: 'info',
    });
  });

  it('takes everything that can be said', () => {
    const flags =
      '--scheduler http://s:8102/x --host 0.0.0.0 --port 0 --advertise gpu7 --id w7 --model m ' +
      '--trusted-networks 10.0.0.0/8,fd00::/8 --engine simulated --replicas 4 --speed 0.5 ' +
      '--time-scale 100 --seed -3 --ledger l.jsonl --drain-timeout 2.5 --log-level debug ' +
      '--task-timeout 0.5 --result-limit 2048';

    expect(parsed(...flags.split(' '))).toEqual({
      schedulerUrl: 'http://s:8102/x',
      key: 'secret',
      host: '0.0.0.0',
      port: 0,
      advertise: 'gpu7',
      id: 'w7',
      trustedNetworks: ['10.0.0.0/8', 'fd00::/8'],
      model: 'm',
      engine: { name: 'simulated', timeScale: 100, seed: -3 },
      replicas: 4,
      speed: 0.5,
      taskTimeoutMs: 500,
      resultLimitBytes: 2048,
      ledger: 'l.jsonl',
      drainTimeoutMs: 2500,
      logLevel: 'debug',
    });
  });

  it('takes a program as one text or as all that follows --', () => {
    const given = ['--model', 'm', '--engine', 'command', '--kill-grace', '0.5'];
    const asText = parsed(...given, '--command', `sh -c 'cat; true' x`).engine;
    const asWords = parsed(...given, '--', 'sh', '-c', 'cat; true', 'x').engine;

    expect(asWords).toEqual(asText);
    expect(asText).toEqual({
      name: 'command',
      argv: ['sh', '-c', 'cat; true', 'x'],
      environment: expect.objectContaining({ PATH: process.env['PATH'] }),
      killGraceMs: 500,
    });
  });

  it('takes a server that speaks the OpenAI API', () => {
    process.env['TEST_UPSTREAM_KEY'] = 'k1';
    const given = ['--model', 'm', '--engine', 'openai', '--upstream', 'http://gpu:1/v1/'];
    expect(parsed(...given).engine).toEqual({
      name: 'openai',
      url: 'http://gpu:1/v1',
      model: null,
      apiKey: null,
    });

    const more = ['--upstream-model', 'llama3:8b', '--api-key-env', 'TEST_UPSTREAM_KEY'];
    expect(parsed(...given, ...more).engine).toMatchObject({ model: 'llama3:8b', apiKey: 'k1' });
  });

  it.each<[string, string, string]>([
    ['no model', '', "required option '--model <name>' not specified"],
    ['an unknown engine', '--model m --engine warp', 'Allowed choices are simulated'],
    ['half a replica', '--model m --replicas 0.5', 'a whole number from 0 to 1000 is needed'],
    ['time at a stop', '--model m --time-scale 0', 'a number from 0.000001'],
    ['a number that is none', '--model m --seed 1x', 'a whole number'],
    ['a port beyond all ports', '--model m --port 65536', 'from 0 to 65535'],
    ['a scheduler without scheme', '--model m --scheduler s:8102', 'a URL is needed'],
    ['a network that is none', '--model m --trusted-networks 10/8', '"10/8" is not a CIDR block'],
    ['an open door', '--model m --host 0.0.0.0', 'say with --trusted-networks who may call'],
    ['a flag of another engine', '--model m --command cat', '--command is for --engine command'],
    ['a program for a simulation', '--model m -- cat', 'cat: a program is for --engine command'],
    ['no server', '--model m --engine openai', 'needs a server: --upstream'],
    [
      'a key that is not there',
      '--model m --engine openai --upstream http://h/v1 --api-key-env NO_SUCH_VARIABLE',
      'NO_SUCH_VARIABLE (environment): it is not set',
    ],
    ['no program', '--model m --engine command', '--engine command needs a program'],
    ['two programs', '--model m --engine command --command cat -- cat', 'given twice'],
    [
      'a program that is not there',
      '--model m --engine command --command ./absent',
      './absent is no program that can be started from here',
    ],
    [
      'a variable that is not set',
      '--model m --engine command --command cat --pass-env NO_SUCH_VARIABLE',
      'NO_SUCH_VARIABLE (environment): there is no such variable',
    ],
    [
      'an address that nobody can call',
      '--model m --host :: --trusted-networks fd00::/8 --scheduler http://s:1',
      'say with --advertise which host it can call',
    ],
    [
      'the same in another spelling',
      '--model m --host 0:0::0 --trusted-networks fd00::/8 --scheduler http://s:1',
      'say with --advertise which host it can call',
    ],
  ])('refuses %s and says what is allowed', (_name, flags, message) => {
    const list = flags === '' ? [] : flags.split(' ');

    expect(() => parsed(...list)).toThrow(message);
  });
});
