import { open } from 'node:fs/promises';

/** The part of an open file that is needed here; a `FileHandle` is one. */
export interface LinesFile {
  appendFile(text: string): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file of JSON lines, each on the disk before anyone counts on it. Lines that come while a sync
 * is under way share the next one.
 */
export class SyncedLines<Entry extends object = object> {
  private lines: string[] = [];
  private lane: Promise<void> = Promise.resolve();
  /** The sync that takes the lines which come now. */
  private next: Promise<void> | null = null;

  constructor(private readonly file: LinesFile) {}

  /**
   * Opens the file for appending and makes it when it is absent.
   * @throws {Error} of the file system, when it cannot be opened, read or written
   */
  static async open<Entry extends object>(path: string): Promise<SyncedLines<Entry>> {
    const file = await open(path, 'a+');
    // A killed process may have left half a line: the next one must not be glued to it.
    if (await endsInsideLine(file)) await file.appendFile('\n');
    return new SyncedLines<Entry>(file);
  }

  /**
   * Resolves when the line is on the disk.
   * @throws {Error} of the file system; what the file then holds is not known
   */
  append(entry: Entry): Promise<void> {
    this.lines.push(`${JSON.stringify(entry)}\n`);
    this.next ??= this.sync();
    return this.next;
  }

  /** Waits for the last sync and closes the file. */
  async close(): Promise<void> {
    await (this.next ?? this.lane).catch(() => undefined);
    await this.file.close();
  }

  private async sync(): Promise<void> {
    await this.lane.catch(() => undefined);
    this.lane = this.next ?? this.lane;
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
