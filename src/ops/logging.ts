import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

/** How much is logged, and for whom. */
export interface LogOptions {
  readonly level: string;
  /** For people: coloured lines instead of JSON. */
  readonly readable: boolean;
}

/**
 * The process's one logger: JSON lines, or readable ones on a terminal. Errors carry their stack;
 * nothing that a request brings in is logged but ids and names.
 */
export function createLogger({ level, readable }: LogOptions): Logger {
  const options = {
    level,
    base: null,
    serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
  };
  if (!readable) return pino(options);
  const stream = pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' });
  return pino(options, stream);
}
