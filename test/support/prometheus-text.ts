/** One figure with its labels. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What was said of one metric. */
interface Family {
  readonly type: string;
  readonly help: string;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\\\|\\"|\\n)*)"(?:,|$)/y;
const SUFFIX = /_(?:bucket|sum|count)$/;
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['+Inf', Number.POSITIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
  ['NaN', Number.NaN],
]);

/** The text format of Prometheus 0.0.4, read strictly. */
export class PrometheusText {
  readonly samples: readonly Sample[];
  readonly families: ReadonlyMap<string, Family>;

  /** @throws {Error} naming the line that is no text of that format */
  constructor(text: string) {
    const families = new Map<string, Family>();
    const helps = new Map<string, string>();
    const samples: Sample[] = [];
    if (!text.endsWith('\n')) throw new Error('the last line has no end');
    for (const line of text.split('\n')) {
      const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
      if (kind === 'HELP') helps.set(name, rest);
      else if (kind === 'TYPE') {
        if (families.has(name)) throw new Error(`two types of ${name}`);
        families.set(name, { type: rest, help: helps.get(name) ?? '' });
      } else if (line !== '') samples.push(sampleIn(line));
    }
    for (const { name } of samples) {
      if (!families.has(name) && !families.has(name.replace(SUFFIX, ''))) {
        throw new Error(`${name} has no type`);
      }
    }
    this.families = families;
    this.samples = samples;
  }

  /** The figure of that name with at least these labels; undefined when there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.samples.filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    if (found.length > 1) throw new Error(`${found.length} of ${name} ${JSON.stringify(labels)}`);
    return found[0]?.value;
  }
}

function sampleIn(line: string): Sample {
  const [, name, labels = '', number = ''] = SAMPLE.exec(line) ?? [];
  const value = SPECIAL.get(number) ?? Number(number);
  if (name === undefined || (Number.isNaN(value) && number !== 'NaN')) {
    throw new Error(`no sample: ${line}`);
  }
  return { name, labels: labelsIn(labels, line), value };
}

function labelsIn(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name = '', value = ''] = LABEL.exec(text) ?? [];
    if (name === '') throw new Error(`no labels: ${line}`);
    labels[name] = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return labels;
}
