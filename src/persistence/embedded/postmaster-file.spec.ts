import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  disownPostmasterFile,
  isServerOf,
  lastPort,
  looksLikeServer,
  parsePostmasterFile,
  readPostmasterFile,
} from './postmaster-file';

const TEXT = '4766\n/data/pg\n1795256781\n23333\n\n127.0.0.1\n  2147461         4\nready   \n';

describe('parsePostmasterFile', () => {
  it('reads the pid and the port', () => {
    expect(parsePostmasterFile(TEXT)).toEqual({ pid: 4766, port: 23_333 });
  });

  it('knows a server that has not named its port, and one in single-user mode', () => {
    expect(parsePostmasterFile('4766\n/data/pg\n')).toEqual({ pid: 4766, port: undefined });
    expect(parsePostmasterFile('-4766\n/data/pg\n')).toMatchObject({ pid: 4766 });
  });

  it('makes a damaged file name nobody', () => {
    const { pid } = parsePostmasterFile('');
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });
});

describe('looksLikeServer', () => {
  const facts = { command: 'postgres', startedAt: '1', cwd: '/data/pg' };

  it('goes by the working directory', () => {
    expect(looksLikeServer(facts, '/data/pg')).toBe(true);
    expect(looksLikeServer({ ...facts, cwd: '/data/other' }, '/data/pg')).toBe(false);
    expect(looksLikeServer({ ...facts, command: 'vi' }, '/data/pg')).toBe(true);
  });

  it('goes by the name where the directory is hidden, and does not guess without either', () => {
    const hidden = { ...facts, cwd: undefined };
    expect(looksLikeServer(hidden, '/data/pg')).toBe(true);
    expect(looksLikeServer({ ...hidden, command: 'nginx' }, '/data/pg')).toBe(false);
    expect(looksLikeServer({ ...hidden, command: '' }, '/data/pg')).toBe(true);
  });
});

describe('the files of a cluster', () => {
  let cluster: string;
  beforeEach(async () => {
    cluster = await mkdtemp(path.join(os.tmpdir(), 'postmaster-spec-'));
  });
  afterEach(() => rm(cluster, { recursive: true }));

  it('are absent before the first start', async () => {
    expect(await readPostmasterFile(cluster)).toBeUndefined();
    expect(await lastPort(cluster)).toBeUndefined();
  });

  it('tell the last port, also after a stop', async () => {
    const options = '/bin/postgres "-p" "23333" "-c" "listen_addresses=127.0.0.1"\n';
    await writeFile(path.join(cluster, 'postmaster.opts'), options);
    expect(await lastPort(cluster)).toBe(23_333);
  });

  it('name nobody once disowned, and keep the rest', async () => {
    const file = path.join(cluster, 'postmaster.pid');
    await writeFile(file, TEXT.replace('4766', String(process.pid)));
    await disownPostmasterFile(cluster);
    const { pid } = parsePostmasterFile(await readFile(file, 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    expect((await readFile(file, 'utf8')).split('\n').slice(1)).toEqual(TEXT.split('\n').slice(1));
  });

  it('do not take this process for their server', async () => {
    expect(await isServerOf(cluster, process.pid)).toBe(false);
  });
});
