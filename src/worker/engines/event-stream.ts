import { StringDecoder } from 'node:string_decoder';

const LINE_END = /\r\n|\n|\r/;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Reads a stream of server-sent events (`text/event-stream`) piece by piece: wherever it is cut,
 * also inside a character or between CR and LF, the same events come out. Only their data matters
 * here; names, ids and comments are skipped.
 */
export class EventStream {
  private readonly decoder = new StringDecoder('utf8');
  /** What was received of the line that is not complete. */
  private rest = '';
  private data: string[] = [];
  private isFirst = true;

  /** Characters that are held because their event is not complete. */
  get pending(): number {
    return this.data.reduce((sum, { length }) => sum + length, this.rest.length);
  }

  /** The data of each event that this piece completes. */
  push(piece: Buffer): string[] {
    return this.read(this.decoder.write(piece));
  }

  /** The data of an event that the end of the stream completes: the blank line after it may be missing. */
  end(): string[] {
    return this.read(`${this.decoder.end()}\n\n`);
  }

  private read(text: string): string[] {
    const events: string[] = [];
    this.rest += text;
    if (this.isFirst && this.rest !== '') {
      this.isFirst = false;
      if (this.rest.startsWith(BYTE_ORDER_MARK)) this.rest = this.rest.slice(1);
    }
    for (let line = this.nextLine(); line !== undefined; line = this.nextLine()) {
      if (line !== '') {
        this.take(line);
      } else if (this.data.length > 0) {
        events.push(this.data.join('\n'));
        this.data = [];
      }
    }
    return events;
  }

  private nextLine(): string | undefined {
    const end = LINE_END.exec(this.rest);
    if (end === null) return undefined;
    const after = end.index + end[0].length;
    // A CR that is the last so far may be the first half of a line end.
    if (end[0] === '\r' && after === this.rest.length) return undefined;
    const line = this.rest.slice(0, end.index);
    this.rest = this.rest.slice(after);
    return line;
  }

  private take(line: string): void {
    const value = /^data(?:: ?(.*))?$/s.exec(line);
    if (value !== null) this.data.push(value[1] ?? '');
  }
}
