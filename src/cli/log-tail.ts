/**
 * What a log has got since it was looked at last, when only its last lines can be asked for. The
 * text that comes out of it is the log; its last line break comes with the line behind it, since
 * nobody can tell whether a last line is whole.
 */
export class LogTail {
  private seen: readonly string[] = [];

  /** @param most lines that one look gets at most */
  constructor(private readonly most: number) {}

  /**
   * Takes a look.
   * @param lines the last lines of the log, at most `most`
   * @returns the text that is new; lines that went by unseen are counted in a line of their own
   */
  next(lines: readonly string[]): string {
    const before = this.seen;
    this.seen = lines;
    if (before.length === 0) return lines.join('\n');
    const shift = this.shiftOf(before, lines);
    if (shift === null) return `\n[foresail: lines were left out here]\n${lines.join('\n')}`;
    const known = before.length - shift;
    const grown = (lines[known - 1] ?? '').slice((before.at(-1) ?? '').length);
    return (
      grown +
      lines
        .slice(known)
        .map((line) => `\n${line}`)
        .join('')
    );
  }

  /** How many of the lines that were seen are not among the last any more; null: all of them. */
  private shiftOf(before: readonly string[], after: readonly string[]): number | null {
    // A log only grows: none of its lines goes while not all of them could be asked for.
    const shifts = after.length < this.most ? 1 : before.length;
    for (let shift = 0; shift < shifts; shift++) if (continues(before, after, shift)) return shift;
    return null;
  }
}

/** True when `after` begins with `before` from there on; the last line may have grown. */
function continues(before: readonly string[], after: readonly string[], shift: number): boolean {
  const known = before.length - shift;
  if (after.length < known) return false;
  for (let n = 0; n < known - 1; n++) if (before[n + shift] !== after[n]) return false;
  return (after[known - 1] ?? '').startsWith(before.at(-1) ?? '');
}
