import type { Client, Connection, Submittable } from 'pg';

/** A statement that the session has prepared, and its parameters. */
export interface PreparedStatement {
  readonly name: string;
  readonly values: (Buffer | string)[];
}

/**
 * Prepared statements in one piece, which are answered in one piece. Up to the `Sync` at their end they
 * are one transaction of the server: it commits them, and one that fails undoes those before it and has
 * those behind it skipped. (The driver's own pipeline has a `Sync` behind each statement: as many
 * transactions, and as many answers that either side is woken for.) Rows of results are dropped.
 */
export class StatementPipeline implements Submittable {
  /** Called once, by the driver too: its limit of time puts itself before it. */
  callback: (error?: Error | null) => void = () => undefined;
  private done = 0;

  constructor(private readonly statements: readonly PreparedStatement[]) {}

  /** How many statements were executed: where it failed, the one at that place, or the commit behind all. */
  get executed(): number {
    return this.done;
  }

  /** Resolves when they are committed. @throws the driver's errors */
  commit(client: Client): Promise<void> {
    return new Promise((resolve, reject) => {
      this.callback = (error) => {
        if (error) reject(error);
        else resolve();
      };
      client.query(this);
    });
  }

  // --- what the driver calls -------------------------------------------------------------------

  submit(connection: Connection): void {
    const { stream } = connection;
    stream.cork();
    try {
      for (const { name, values } of this.statements) {
        connection.bind({ statement: name, values }, true);
        connection.execute(null, true);
      }
      connection.sync();
    } catch (error) {
      // Half of it may be on its way, and nothing else could ever follow.
      stream.destroy(error as Error);
    } finally {
      stream.uncork();
    }
  }

  handleCommandComplete(): void {
    this.done += 1;
  }

  handleReadyForQuery(): void {
    const { length } = this.statements;
    if (this.done === length) this.callback();
    else this.callback(new Error(`${this.done} of ${length} statements were answered`));
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleDataRow(): void {
    // Only whether a statement fails says something.
  }
}
