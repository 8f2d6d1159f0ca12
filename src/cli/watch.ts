import { setTimeout as sleep } from 'node:timers/promises';
import colors from 'picocolors';
import { isTransient, type ApiClient } from './api-client';
import { instantText, printable, type OutputFormat, type View } from './output';

/** What is watched, and how. */
export interface WatchOptions {
  /** Closed at the end. */
  readonly client: ApiClient;
  readonly look: (client: ApiClient) => Promise<View>;
  readonly everyMs: number;
  readonly format: OutputFormat;
}

/** Where a watched view is shown. */
interface Screen {
  draw(view: View): void;
  /** The scheduler does not answer; told with every look that finds nobody. */
  away(reason: string): void;
  close(): void;
}

/**
 * Shows a view again and again until SIGINT or SIGTERM, which is a good end. A terminal is redrawn;
 * a pipe gets one line of JSON, or one table, per look. An absence of the scheduler is shown and
 * waited out.
 * @throws what `look` throws, but for what may be over a little later
 */
export async function watch({ client, look, everyMs, format }: WatchOptions): Promise<void> {
  const { stdout } = process;
  const screen = stdout.isTTY && format === 'table' ? terminal(stdout, everyMs) : lines(format);
  const abort = new AbortController();
  const { signal } = abort;
  // Else the end would wait for an answer that nobody is interested in any more.
  const interrupt = (): void => {
    abort.abort();
    void client.close();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    while (!signal.aborted) {
      await lookOnce(() => look(client), screen, signal);
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    screen.close();
    await client.close();
  }
}

async function lookOnce(
  look: () => Promise<View>,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  try {
    screen.draw(await look());
  } catch (error) {
    if (signal.aborted) return;
    if (!isTransient(error)) throw error;
    screen.away(printable(error.message.split('\n')[0] ?? ''));
  }
}

/** Lines for whoever reads a pipe; absences go to standard error, once each. */
function lines(format: OutputFormat): Screen {
  let isAway = false;
  return {
    draw: (view) => {
      if (isAway) process.stderr.write('the scheduler is back\n');
      isAway = false;
      process.stdout.write(
        format === 'json' ? `${JSON.stringify(view.json)}\n` : `${view.text()}\n`,
      );
    },
    away: (reason) => {
      if (!isAway) process.stderr.write(`the scheduler is away: ${reason}\n`);
      isAway = true;
    },
    close: () => undefined,
  };
}

const ESC = '\u001b[';
/** A screen of our own, no cursor, and lines that are cut instead of wrapped. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
const HOME = `${ESC}H`;
const TO_LINE_END = `${ESC}K`;
const TO_SCREEN_END = `${ESC}J`;

/** Redraws a terminal in place; leaves it as it was. */
function terminal(stdout: NodeJS.WriteStream, everyMs: number): Screen {
  let last = '';
  let awaySince: number | null = null;
  stdout.write(ENTER);
  const redraw = (head: string): void => {
    const all = [head, '', ...last.trimEnd().split('\n')];
    const seen = all.slice(0, stdout.rows > 1 ? stdout.rows - 1 : Infinity);
    stdout.write(HOME + seen.map((line) => `${line}${TO_LINE_END}\n`).join('') + TO_SCREEN_END);
  };
  return {
    draw: (view) => {
      awaySince = null;
      last = view.text();
      redraw(colors.dim(`${instantText(Date.now())}, every ${everyMs / 1_000} s; Ctrl-C ends`));
    },
    away: (reason) => {
      awaySince ??= Date.now();
      const since = instantText(awaySince);
      redraw(colors.yellow(`the scheduler is away since ${since}: ${reason}; looking again`));
    },
    close: () => stdout.write(LEAVE),
  };
}
