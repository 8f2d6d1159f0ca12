import type { Command } from 'commander';
import type { ApiClient } from './api-client';
import { nameText, wholeFrom } from './arguments';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT, guarded } from './exit';
import { Fields } from './fields';
import { instantText, listView, paintState, print, tableText, type Column } from './output';
import { fetchList } from './pages';
import { show, watchable, type WatchFlags } from './show';

interface AlertsFlags extends WatchFlags {
  readonly kind?: string;
  readonly limit: number;
}

const USUAL_LIMIT = 50;

const EXAMPLES = [
  'foresail alerts --kind host_lost',
  `foresail alerts -o json | jq '.[] | select(.deliveries[].state == "given_up")'`,
  'foresail alerts test',
];

const NOTES = `
Kinds: job_failed, job_timed_out, host_lost, queue_stuck, and test.
`;

/** `foresail alerts`: what operators were told, and whether it reached them. */
export function alertsCommand(): Command {
  return watchable(clientVerb('alerts', 'list alerts, the newest first', EXAMPLES, NOTES))
    .option('--kind <kind>', 'only those of this kind', nameText)
    .option('--limit <number>', 'most alerts that are listed', wholeFrom(1, 1e6), USUAL_LIMIT)
    .action(guarded((flags: AlertsFlags) => show(flags, (client) => list(client, flags))))
    .addCommand(testVerb());
}

async function list(
  client: ApiClient,
  { kind, limit }: AlertsFlags,
): Promise<ReturnType<typeof listView>> {
  const query = { path: '/v1/alerts', name: 'alerts', filters: { kind }, limit };
  const { items } = await fetchList(client, query);
  return listView(items, COLUMNS, 'there were no alerts');
}

const COLUMNS: readonly Column<Fields>[] = [
  { head: 'RAISED', value: (alert) => instantText(Date.parse(alert.text('raised_at'))) },
  { head: 'KIND', value: (alert) => alert.text('kind') },
  { head: 'DELIVERED', align: 'right', value: deliveredText },
  { head: 'MESSAGE', value: (alert) => alert.text('message') },
];

/** `1 of 2`: how many receivers have it; a dash where there is none. */
function deliveredText(alert: Fields): string {
  const deliveries = alert.list('deliveries');
  const arrived = deliveries.filter((each) => each.text('state') === 'delivered');
  return deliveries.length === 0 ? '–' : `${arrived.length} of ${deliveries.length}`;
}

function testVerb(): Command {
  const description = 'send a test to every webhook now, and say whether it arrived';
  return clientVerb('test', description, ['foresail alerts test']).action(guarded(test));
}

async function test(flags: ClientFlags): Promise<void> {
  const answer = await withClient(flags, (client) => client.post('/v1/alerts/test', '{}'));
  const deliveries = new Fields(answer, 'the answer to POST /v1/alerts/test').list('deliveries');
  print({ json: answer, text: () => tableText(deliveries, DELIVERY_COLUMNS, NONE) }, flags.output);
  const missed = deliveries.filter((each) => each.text('state') !== 'delivered').length;
  if (deliveries.length === 0) throw new CommandFailure(EXIT.failed, `${NONE}; nobody was told`);
  if (missed === 0) return;
  throw new CommandFailure(
    EXIT.failed,
    `${missed} of ${deliveries.length} webhooks did not take it`,
  );
}

const NONE = 'no webhook is set (FORESAIL_ALERT_URLS)';

const DELIVERY_COLUMNS: readonly Column<Fields>[] = [
  { head: 'WEBHOOK', value: (each) => each.text('receiver') },
  { head: 'STATE', value: (each) => each.text('state'), paint: paintState },
  { head: 'ERROR', value: (each) => each.optionalText('error') ?? '' },
];
