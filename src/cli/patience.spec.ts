import { getEventListeners } from 'node:events';
import { fixedRandom } from '../../test/support/seeded-random';
import { until } from '../../test/support/until';
import { RefusedError, UnreachableError } from './api-client';
import { EXIT } from './exit';
import { Patience } from './patience';

const away = (): UnreachableError => new UnreachableError('http://x', true, 'refused', null);
const refused = (status: number, retryAfterMs = 0): RefusedError =>
  new RefusedError(status, retryAfterMs, EXIT.failed, `answered ${status}`);

/** A call that fails in these ways, one after the other, and then answers. */
function failing(...errors: Error[]): { call: () => Promise<string>; calls: () => number } {
  let calls = 0;
  const call = (): Promise<string> => {
    const error = errors[calls];
    calls += 1;
    return error === undefined ? Promise.resolve('answer') : Promise.reject(error);
  };
  return { call, calls: () => calls };
}

// A pause of 0 ms: chance decides between 0 and the bound.
const patience = (limitMs: number): Patience => new Patience({ limitMs, random: fixedRandom(0) });

describe('Patience', () => {
  it('repeats a call that meets nobody, or not now', async () => {
    const { call, calls } = failing(away(), refused(503), refused(429), refused(500));

    expect(await patience(60_000).persist(call)).toBe('answer');
    expect(calls()).toBe(5);
  });

  it.each([400, 401, 403, 404, 422])(
    'does not repeat what was answered with %d',
    async (status) => {
      const { call, calls } = failing(refused(status));

      await expect(patience(60_000).persist(call)).rejects.toMatchObject({ status });
      expect(calls()).toBe(1);
    },
  );

  it('waits as long as the service asks for', async () => {
    const began = performance.now();

    await patience(60_000).persist(failing(refused(429, 150)).call);

    expect(performance.now() - began).toBeGreaterThanOrEqual(149);
  });

  it('ends when nothing has succeeded for too long, with the last failure', async () => {
    const always = (): Promise<never> => Promise.reject(refused(503));

    await expect(patience(30).persist(always)).rejects.toMatchObject({
      status: 503,
      exitCode: EXIT.failed,
      message: 'nothing has succeeded for 0 s; the last answer: answered 503',
    });
  });

  it('is whole again when any of its calls succeeds', async () => {
    const shared = patience(100);
    let done = false;
    const stubborn = shared.persist(() =>
      done ? Promise.resolve('at last') : Promise.reject(away()),
    );
    const began = performance.now();
    await until(async () => {
      await shared.persist(() => Promise.resolve());
      return performance.now() - began > 300;
    }, 'three times the patience');
    done = true;

    expect(await stubborn).toBe('at last');
  });

  it('can be interrupted in a pause', async () => {
    const { signal, abort } = interruption();
    const long = new Patience({ limitMs: 60_000, random: fixedRandom(0), signal });
    const call = long.persist(failing(refused(429, 50_000)).call);
    const ended = expect(call).rejects.toThrow('abort');
    await until(() => getEventListeners(signal, 'abort').length > 0, 'the pause begins');
    abort();

    await ended;
  });
});

function interruption(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
