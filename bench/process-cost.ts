import { readFileSync } from 'node:fs';

/** Of Linux, everywhere that it runs. */
const MS_PER_TICK = 10;

/** Time that a process has computed, in ms. It says more than a rate where others compute too. */
export function cpuMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** Memory of a process that is resident now, in MiB. */
export function residentMib(pid: number | undefined): number {
  return mibOf(pid, 'VmRSS');
}

/** The most that was ever resident of it, in MiB. */
export function peakMib(pid: number | undefined): number {
  return mibOf(pid, 'VmHWM');
}

/** From the kernel's account of the process; Linux only. */
function mibOf(pid: number | undefined, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return Number(kib) / 1_024;
}
