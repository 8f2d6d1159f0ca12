import { randomUUID } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import os from 'node:os';
import { inspectProcess } from './embedded/process-facts';

/** What tells one process from every other, on this machine and elsewhere. */
export interface ProcessIdentity {
  /** Random, new with every call: two leases of one process are two holders. */
  readonly holder: string;
  /** The machine, and which of its process tables: containers of one host do not see each other. */
  readonly machine: string;
  /** Which start of the machine. */
  readonly bootId: string;
  readonly pid: number;
  /** When that pid was started, opaque; empty where the system does not tell. */
  readonly pidStarted: string;
}

/** Identity of the running process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const facts = await inspectProcess(process.pid);
  return {
    holder: randomUUID(),
    machine: await machineName(),
    bootId: await bootName(),
    pid: process.pid,
    pidStarted: facts?.startedAt ?? '',
  };
}

/**
 * True when it is certain that a process is dead: it ran here, since the same start of the
 * machine, and its pid is free or somebody else's now. Whatever cannot be known counts as alive.
 */
export async function isCertainlyDead(
  other: Omit<ProcessIdentity, 'holder'>,
  own: ProcessIdentity,
): Promise<boolean> {
  if (other.machine !== own.machine || other.bootId !== own.bootId) return false;
  const facts = await inspectProcess(other.pid);
  if (!facts) return !belongsToSomebodyElse(other.pid);
  return other.pidStarted !== '' && facts.startedAt !== '' && facts.startedAt !== other.pidStarted;
}

/** A process table may hide what other users run; a signal still meets it. */
function belongsToSomebodyElse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false; // It is ours and still not listed: a zombie.
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function machineName(): Promise<string> {
  const id = await textOf('/etc/machine-id');
  const name = id === '' ? os.hostname() : id;
  const processTable = await readlink('/proc/self/ns/pid').catch(() => '');
  return processTable === '' ? name : `${name} ${processTable}`;
}

async function bootName(): Promise<string> {
  const id = await textOf('/proc/sys/kernel/random/boot_id');
  if (id !== '') return id;
  // Near enough: where two readings fall into different minutes, a takeover waits for the lease.
  return `minute ${Math.round((Date.now() / 1_000 - os.uptime()) / 60)}`;
}

/** Contents of a file, trimmed; empty when it cannot be read. */
async function textOf(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}
