import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DURABILITY_QUERY, type DurabilitySettings } from './postgres-settings';

/** How long an answer may take, in ms: somebody waits for what we say of it. */
const PATIENCE_MS = 1_000;

/** Asks the database whether it is there, and how safe a commit is with it at present. */
@Injectable()
export class DatabaseProbe {
  private asking: Promise<DurabilitySettings | undefined> | undefined;

  constructor(private readonly source: DataSource) {}

  /**
   * Its settings as they are now; undefined when it does not answer within a second. Whoever asks
   * at once shares one query.
   */
  async durability(): Promise<DurabilitySettings | undefined> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
    });
    const settings = await Promise.race([this.asking, late]);
    clearTimeout(timer);
    return settings;
  }

  private async ask(): Promise<DurabilitySettings | undefined> {
    try {
      const [settings] = await this.source.query<DurabilitySettings[]>(DURABILITY_QUERY);
      return settings;
    } catch {
      // Why it does not answer is the business of those who need it for more than its presence.
      return undefined;
    }
  }
}
