import type { ServerResponse } from 'node:http';
import { json, WorkerStub } from '../../test/support/worker-stub';
import { ANY_ADDRESS, type AddressRule } from '../outgoing/outgoing-address';
import type { StoredAlert } from '../persistence/alerts.repository';
import { shownReceiver, Webhook } from './webhook';
import { signatureOf } from './webhook-signature';

const SECRET = 'sixteen-characters-or-more';
const WALL_MS = 1_795_257_600_999;
const ALERT: StoredAlert = {
  id: '01900000-0000-7000-8000-00000000000a',
  kind: 'host_lost',
  eventId: null,
  subject: 'i-1',
  message: 'host h1 is lost',
  details: { name: 'h1' },
  leftOut: 3,
  raisedAt: '2026-11-21T22:00:00.000Z',
  overAt: null,
  deliveries: [],
};

describe('Webhook', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  async function receiver(): Promise<WorkerStub> {
    const stub = await WorkerStub.start();
    ends.push(() => stub.stop());
    return stub;
  }

  function webhook(url: string, addressRule: AddressRule = ANY_ADDRESS): Webhook {
    const made = new Webhook({ url, secret: SECRET, addressRule });
    ends.push(() => made.destroy());
    return made;
  }

  it('sends the alert, signed over time and body', async () => {
    const stub = (await receiver()).on('POST /hooks/a?token=t', json({}, 202));
    await webhook(`http://127.0.0.1:${stub.port}/hooks/a?token=t`).send(ALERT, WALL_MS);
    const [call] = stub.calls;
    expect(JSON.parse(call!.body)).toEqual({
      id: ALERT.id,
      kind: 'host_lost',
      subject: 'i-1',
      message: 'host h1 is lost',
      raised_at: '2026-11-21T22:00:00.000Z',
      left_out: 3,
      details: { name: 'h1' },
    });
    expect(call!.headers).toMatchObject({
      'content-type': 'application/json',
      'x-foresail-alert': ALERT.id,
      'x-foresail-timestamp': '1795257600',
      'x-foresail-signature': signatureOf(SECRET, '1795257600', call!.body),
    });
  });

  it('follows no redirect', async () => {
    const stub = await receiver();
    stub.on('POST /old', json({}, 307, { location: `http://127.0.0.1:${stub.port}/new` }));
    stub.on('POST /new', json({}));
    const sent = webhook(`http://127.0.0.1:${stub.port}/old`).send(ALERT, WALL_MS);
    await expect(sent).rejects.toMatchObject({ code: 'http_status', status: 307 });
    expect(stub.calls.map(({ path }) => path)).toEqual(['/old']);
  });

  it.each([
    ['http://169.254.169.254/latest', /not an address that a service can have/],
    ['http://0.0.0.0:80/', /not an address that a service can have/],
  ])('sends nothing to %s', async (url, why) => {
    const error: unknown = await webhook(url)
      .send(ALERT, WALL_MS)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'unreachable', sent: false });
    expect((error as Error).message).toMatch(why);
  });

  it('sends nothing where the rule forbids it', async () => {
    const stub = (await receiver()).on('POST /', json({}));
    const sent = webhook(
      `http://127.0.0.1:${stub.port}`,
      () => 'this scheduler listens there',
    ).send(ALERT, WALL_MS);
    await expect(sent).rejects.toThrow('this scheduler listens there');
    expect(stub.calls).toEqual([]);
  });

  it('ends with what is under way', async () => {
    const held: ServerResponse[] = [];
    const stub = (await receiver()).on('POST /', (response) => void held.push(response));
    const made = webhook(`http://127.0.0.1:${stub.port}`);
    const sent = made.send(ALERT, WALL_MS);
    const failed = expect(sent).rejects.toMatchObject({ code: 'unreachable' });
    await made.destroy();
    await failed;
  });
});

describe('shownReceiver', () => {
  it.each([
    ['https://hooks.example.com/services/T0/B0/secret', 'https://hooks.example.com/…'],
    ['https://hooks.example.com:8443/?token=secret', 'https://hooks.example.com:8443/…'],
    ['http://10.0.0.7:9000', 'http://10.0.0.7:9000'],
  ])('shows %s as %s', (url, shown) => {
    expect(shownReceiver(url)).toBe(shown);
  });
});
