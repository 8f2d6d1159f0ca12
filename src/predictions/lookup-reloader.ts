import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { LookupFileError, readLookupFile, readLookupFileLater } from './lookup-file';
import { LookupTable } from './lookup-table';

/** How often the file is looked at, in ms. Names of files are asked: it also sees a rename, and NFS. */
const LOOK_MS = 1_000;

/** How the lookup file is. */
export interface LookupStatus {
  /** Records in use. */
  readonly records: number;
  /** When they were read. */
  readonly loadedAt: Date;
  /** What is wrong with the file as it is now, so that an older one is in use; null when nothing is. */
  readonly fault: string | null;
}

/**
 * Keeps the lookup table as its file is. A file that changed is read once it has kept still for one
 * look, so that half a file is not taken for a wrong one. A wrong file changes nothing and is told
 * once.
 */
export class LookupReloader {
  private current: LookupTable;
  private loadedAt = new Date();
  private fault: string | null = null;
  /** The state of the file that was read last, and that was seen last. */
  private readStamp: string | undefined;
  private seenStamp: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly file: string | undefined,
    private readonly logger: Pick<Logger, 'info' | 'error'>,
  ) {
    if (file === undefined) {
      this.current = new LookupTable([]);
      return;
    }
    this.readStamp = stampNow(file);
    this.current = new LookupTable(readLookupFile(file));
    this.lookLater(file);
  }

  /**
   * Reads the file and follows it until `close`; without a file the table is empty.
   * @throws {LookupFileError} when the file is wrong now
   */
  static open(file: string | undefined, logger: Pick<Logger, 'info' | 'error'>): LookupReloader {
    return new LookupReloader(file, logger);
  }

  /** The records in use. */
  get table(): LookupTable {
    return this.current;
  }

  /** Null when no file was named. */
  get status(): LookupStatus | null {
    if (this.file === undefined) return null;
    const { current, loadedAt, fault } = this;
    return { records: current.records.length, loadedAt, fault };
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private lookLater(file: string): void {
    this.timer = setTimeout(() => {
      void this.look(file).then(() => {
        if (this.timer !== undefined) this.lookLater(file);
      });
    }, LOOK_MS).unref();
  }

  private async look(file: string): Promise<void> {
    const stamp = await stampOf(file);
    const isStill = stamp === this.seenStamp;
    this.seenStamp = stamp;
    if (!isStill || stamp === this.readStamp) return;
    this.readStamp = stamp;
    await this.reload(file);
  }

  private async reload(file: string): Promise<void> {
    try {
      this.current = new LookupTable(await readLookupFileLater(file));
    } catch (error) {
      if (!(error instanceof LookupFileError)) throw error;
      this.fault = error.fault;
      const records = this.current.records.length;
      this.logger.error({
        msg: `${error.message}; the ${records} records from before stay in use`,
      });
      return;
    }
    this.fault = null;
    this.loadedAt = new Date();
    this.logger.info({
      msg: `lookup file read again: ${this.current.records.length} records`,
      file,
    });
  }
}

/** Changes with the file's content, its name leading elsewhere, and its absence. */
async function stampOf(file: string): Promise<string> {
  try {
    return stampIn(await stat(file, { bigint: true }));
  } catch (error) {
    return `unreadable: ${String(error)}`;
  }
}

/** Taken before the file is read: what changes in between is seen as a change. */
function stampNow(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found && stampIn(found);
}

function stampIn({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].join();
}
