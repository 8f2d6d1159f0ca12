import type { AgentOptions } from '../agent/agent-options';
import { childEnvironment } from '../config/child-environment';
import { agentFlags, agentOptions } from './agent';

/** What an agent would be started with. */
function parsed(...flags: string[]): AgentOptions {
  const command = agentFlags()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(flags, { from: 'user' });
  const client = { url: 'http://127.0.0.1:8102', key: 'secret' };
  return agentOptions(command.opts(), client, childEnvironment());
}

const WORKER = ['--id', 'w', '--addr', '10.0.0.5:9000', '--max-tasks', '8'];

describe('foresail agent', () => {
  it('needs a name, an address and a size, and has a default for the rest', () => {
    expect(parsed(...WORKER)).toEqual({
      schedulerUrl: 'http://127.0.0.1:8102',
      key: 'secret',
      speaksFor: {
        kind: 'worker',
        id: 'w',
        address: '10.0.0.5:9000',
        tags: [],
        maxTasks: 8,
        resources: null,
        load: null,
      },
      intervalMs: 3_000,
      logLevel: 'info',
    });
  });

  it('takes everything that can be said of a worker', () => {
    const flags =
      '--tags=gpu,,cuda-12.0 --cpu 4 --gpu-memory-gb 24 --scheduler http://s:8102/x ' +
      '--load-file load.json --interval 0.5 --log-level warn';
    expect(parsed(...WORKER, ...flags.split(' '))).toMatchObject({
      schedulerUrl: 'http://s:8102/x',
      speaksFor: {
        tags: ['gpu', 'cuda-12.0'],
        resources: { cpu: 4, memoryGb: 0, gpuMemoryGb: 24 },
        load: { kind: 'file', path: 'load.json' },
      },
      intervalMs: 500,
      logLevel: 'warn',
    });
  });

  it('takes a command for the load, without a shell, and gives it none of our settings', () => {
    process.env['FORESAIL_KEY'] = 'secret';
    const { speaksFor } = parsed(...WORKER, '--load-command', "sh -c 'echo 2'");
    delete process.env['FORESAIL_KEY'];
    expect(speaksFor).toMatchObject({ load: { kind: 'command', argv: ['sh', '-c', 'echo 2'] } });
    expect(JSON.stringify(speaksFor)).not.toContain('secret');
  });

  it('takes everything that can be said of a batch host', () => {
    const flags =
      '--apr --id h --max-tasks 8 --cpu 32 --memory-gb 64 --label os=linux --prefix ssh';
    const registration = {
      slots: 8,
      cpu: 32,
      memoryGb: 64,
      labels: { os: 'linux' },
      prefix: 'ssh',
    };
    expect(parsed(...flags.split(' ')).speaksFor).toEqual({ kind: 'host', id: 'h', registration });
    expect(parsed('--apr', '--id', 'h').speaksFor).toEqual({
      kind: 'host',
      id: 'h',
      registration: null,
    });
  });

  it.each(['gpu-1.example.org:9000', '[2001:db8::7]:9000', 'localhost:65535'])(
    'takes the address %s',
    (addr) => {
      expect(parsed(...WORKER, '--addr', addr).speaksFor).toMatchObject({ address: addr });
    },
  );

  it.each([
    ['no name', '--addr a:1 --max-tasks 1', '--id'],
    ['no address', '--id w --max-tasks 1', '--addr is missing'],
    ['no size', '--id w --addr a:1', '--max-tasks is missing'],
    ['a name that is too long', `${WORKER.join(' ')} --id ${'x'.repeat(256)}`, '1 to 255'],
    ['an empty name', '--id= --addr a:1 --max-tasks 1', '1 to 255'],
    ...['10.0.0.5', 'a:0', 'a:65536', ':9000', 'http://a:1', '::1:9000', 'ä:1', 'a:1/'].map(
      (addr) => [`the address ${addr}`, `${WORKER.join(' ')} --addr=${addr}`, 'like 10.0.0.5:9000'],
    ),
    ['half a task', '--id w --addr a:1 --max-tasks 1.5', 'whole number from 0 to 1000000'],
    ['less than no task', '--id w --addr a:1 --max-tasks=-1', 'whole number from 0 to 1000000'],
    ['a long tag', `${WORKER.join(' ')} --tags ${'x'.repeat(129)}`, '1 to 128'],
    ['many tags', `${WORKER.join(' ')} --tags ${'x,'.repeat(257)}`, 'at most 256 tags'],
    ['no URL', `${WORKER.join(' ')} --scheduler s:8102`, 'a URL is needed'],
    ['two loads', `${WORKER.join(' ')} --load-file f --load-command true`, 'asked for twice'],
    ['no program', `${WORKER.join(' ')} --load-command /nothing/there`, 'no program that can be'],
    ['an open quote', `${WORKER.join(' ')} --load-command 'x`, 'not closed'],
    ['a label of no host', `${WORKER.join(' ')} --label os=linux`, '--label is for a batch host'],
    ['tags of a host', '--apr --id h --tags gpu', '--tags is for a worker'],
    ['GPU memory of a host', '--apr --id h --gpu-memory-gb 1', '--gpu-memory-gb is for a worker'],
    ['a load of a host', '--apr --id h --load-file f', '--load-file is for a worker'],
    ['a beat without pause', `${WORKER.join(' ')} --interval 0`, 'a number from 0.1 to 3600'],
  ])('refuses %s', (_name, flags, reason) => {
    expect(() => parsed(...flags.split(' '))).toThrow(reason);
  });
});
