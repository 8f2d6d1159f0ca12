/** The end of what was written to a stream, in bounded memory. */
export class Tail {
  private kept = Buffer.alloc(0);
  private isCut = false;

  constructor(private readonly mostBytes: number) {}

  push(chunk: Buffer): void {
    const all = Buffer.concat([this.kept, chunk.subarray(-this.mostBytes)]);
    this.isCut ||= this.kept.length + chunk.length > this.mostBytes;
    this.kept = all.subarray(-this.mostBytes);
  }

  /** The last lines, at most so many; a line that was cut is left out where others are there. */
  lines(most: number): string {
    const lines = this.kept.toString('utf8').trimEnd().split('\n');
    if (this.isCut && lines.length > 1) lines.shift();
    return lines.slice(-most).join('\n');
  }
}
