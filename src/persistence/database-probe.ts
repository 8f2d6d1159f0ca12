import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** How long an answer may take, in ms: somebody waits for what we say of it. */
const PATIENCE_MS = 1_000;

/** Asks the database whether it is there. */
@Injectable()
export class DatabaseProbe {
  private asking: Promise<boolean> | undefined;

  constructor(private readonly source: DataSource) {}

  /** True when it answers a query within a second. Whoever asks at once shares one query. */
  async answers(): Promise<boolean> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), PATIENCE_MS);
    });
    const answered = await Promise.race([this.asking, late]);
    clearTimeout(timer);
    return answered;
  }

  private async ask(): Promise<boolean> {
    try {
      await this.source.query('SELECT 1');
      return true;
    } catch {
      // Why it does not answer is the business of those who need it for more than its presence.
      return false;
    }
  }
}
