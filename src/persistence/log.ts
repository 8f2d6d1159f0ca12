/** Where the plain classes of this folder log to: a pino logger is one. Lines carry `msg`. */
export interface Log {
  info(line: object): void;
  warn(line: object): void;
  error(line: object): void;
}
