import { assertCallableFrom } from './worker-address';

describe('assertCallableFrom', () => {
  it.each([
    ['http://127.0.0.1:8102', '127.0.0.1'],
    ['http://localhost:8102', 'localhost'],
    ['http://[::1]:8102/prefix', '127.0.0.1'],
    ['http://192.0.2.77:8102', '192.0.2.78'],
    ['http://192.0.2.77:8102', 'gpu7'],
    ['http://nobody.invalid:8102', '127.0.0.1'],
  ])('lets a worker of %s announce %s', async (scheduler, advertise) => {
    await assertCallableFrom(scheduler, advertise);
  });

  it.each(['127.0.0.1', '127.0.0.2', '::1', 'localhost'])(
    'refuses to announce %s to another machine',
    async (advertise) => {
      await expect(assertCallableFrom('http://192.0.2.77:8102', advertise)).rejects.toThrow(
        `http://192.0.2.77:8102 is another machine and cannot call ${advertise}`,
      );
    },
  );
});
