/** Prints what a run measured: figures belong to the record of a run, not only to its verdict. */
export function report(title: string, figures: object): void {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${String(value)}`);
  process.stderr.write(`${title}: ${shown.join(', ')}\n`);
}
