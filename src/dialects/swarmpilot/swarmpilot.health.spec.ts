import { VERSION } from '../../config/version';
import { health } from './swarmpilot.mapper';

describe('health', () => {
  const SETTINGS = { version: '18.4', fsync: 'on', synchronousCommit: 'off', fullPageWrites: 'on' };

  it('is good when the database answers and the journal records', () => {
    expect(health(SETTINGS, true)).toEqual({
      status: 'healthy',
      service: 'scheduler',
      version: VERSION,
      details: {
        postgresql: {
          version: '18.4',
          fsync: 'on',
          synchronous_commit: 'off',
          full_page_writes: 'on',
        },
      },
    });
  });

  it.each([
    [undefined, true, /does not answer/],
    [SETTINGS, false, /cannot be recorded/],
  ])('is bad otherwise: %j, %j', (database, canRecord, message) => {
    const error = { code: 'store_unavailable', message: expect.stringMatching(message) };
    expect(() => health(database, canRecord)).toThrow(expect.objectContaining(error));
  });
});
