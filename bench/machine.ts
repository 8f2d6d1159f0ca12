import { cpus, loadavg, totalmem } from 'node:os';
import { MAJOR } from '../src/persistence/embedded/layout';

const GIB = 2 ** 30;

/** The machine in words, and how busy it is with whatever else runs on it. */
export function machine(): string {
  const memory = `${(totalmem() / GIB).toFixed(0)} GiB`;
  const [load = 0] = loadavg();
  return (
    `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${memory}, Node.js ${process.version}, ` +
    `PostgreSQL ${MAJOR} with fsync on; load average ${load.toFixed(1)} when it began.`
  );
}
