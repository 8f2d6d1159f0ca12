import { Option, type Command } from 'commander';
import type { ApiClient } from './api-client';
import { numberFrom } from './arguments';
import { openClient, withClient, type ClientFlags } from './client-verb';
import { formatOf, print, type View } from './output';
import { watch } from './watch';

/** Flags of a verb that can be watched. */
export interface WatchFlags extends ClientFlags {
  /** Seconds between two looks; true: as often as is usual. */
  readonly watch?: number | true;
}

const USUAL_SECONDS = 2;
/** Longest wait for an answer while watching: the screen must not stand still, ms. */
const WATCH_ANSWER_MS = 5_000;

/** Adds `--watch` to a verb. */
export function watchable(command: Command): Command {
  const text = `look again every so many seconds (default ${USUAL_SECONDS}) until Ctrl-C`;
  return command.addOption(
    new Option('--watch [seconds]', text).argParser(numberFrom(0.1, 86_400)),
  );
}

/**
 * Looks once and prints; with `--watch`, again and again until the process is interrupted, through
 * absences of the scheduler.
 * @throws what `look` throws; while watching, nothing that may be over a little later
 */
export async function show(
  flags: WatchFlags,
  look: (client: ApiClient) => Promise<View>,
): Promise<void> {
  if (flags.watch === undefined) {
    print(await withClient(flags, look), flags.output);
    return;
  }
  const seconds = flags.watch === true ? USUAL_SECONDS : flags.watch;
  const client = await openClient(flags, { answerTimeoutMs: WATCH_ANSWER_MS });
  const format = formatOf(flags.output);
  await watch({ client, look, everyMs: seconds * 1_000, format });
}
