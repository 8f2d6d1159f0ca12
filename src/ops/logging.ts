import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

/** How much is logged, and for whom. */
export interface LogOptions {
  readonly level: string;
  /** For people: coloured lines instead of JSON. */
  readonly readable: boolean;
  /** File descriptor; default: standard output. */
  readonly destination?: 1 | 2;
}

/**
 * The process's one logger: JSON lines, or readable ones on a terminal. Errors carry their stack;
 * nothing that a request brings in is logged but ids and names.
 */
export function createLogger({ level, readable, destination = 1 }: LogOptions): Logger {
  const options = {
    level,
    base: null,
    serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
  };
  if (!readable) return pino(options, pino.destination(destination));
  const people = { colorize: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' };
  const stream = pretty({ ...people, destination });
  return pino(options, stream);
}
