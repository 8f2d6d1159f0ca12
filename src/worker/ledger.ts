import { open } from 'node:fs/promises';

/** One execution, as the ledger keeps it. Times are Unix seconds. */
export interface LedgerEntry {
  /** The scheduler's ids of the task and of the attempt; null when the caller told none. */
  readonly task_id: string | null;
  readonly dispatch_id: string | null;
  /** This worker's own id of the task. */
  readonly remote_id: string;
  readonly worker: string;
  readonly started_at: number;
  readonly finished_at: number;
  readonly ok: boolean;
}

/** The part of an open file that a ledger needs; a `FileHandle` is one. */
export interface LedgerFile {
  appendFile(text: string): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file with one JSON line per execution, which is on the disk before anyone is told of the
 * execution. Lines that come while a sync is under way share the next one.
 */
export class Ledger {
  private lines: string[] = [];
  private lane: Promise<void> | null = null;
  /** The flush that takes the lines which come now. */
  private next: Promise<void> | null = null;

  constructor(private readonly file: LedgerFile) {}

  /**
   * Opens the file for appending and makes it when it is absent.
   * @throws {Error} of the file system, when it cannot be opened, read or written.
   */
  static async open(path: string): Promise<Ledger> {
    const file = await open(path, 'a+');
    // A killed process may have left half a line: the next one must not be glued to it.
    if (await endsInsideLine(file)) await file.appendFile('\n');
    return new Ledger(file);
  }

  /**
   * Resolves when the line is on the disk.
   * @throws {Error} of the file system; what the file then holds is not known.
   */
  append(entry: LedgerEntry): Promise<void> {
    this.lines.push(`${JSON.stringify(entry)}\n`);
    this.next ??= this.startNext();
    return this.next;
  }

  /** Waits for the last flush and closes the file. */
  async close(): Promise<void> {
    await this.next?.catch(() => undefined);
    await this.lane?.catch(() => undefined);
    await this.file.close();
  }

  private async startNext(): Promise<void> {
    await this.lane?.catch(() => undefined);
    this.lane = this.next;
    this.next = null;
    const lines = this.lines.join('');
    this.lines = [];
    await this.file.appendFile(lines);
    await this.file.datasync();
  }
}

async function endsInsideLine(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== '\n'.charCodeAt(0);
}
