import { childEnvironment } from './child-environment';

describe('childEnvironment', () => {
  it('keeps what is not ours', () => {
    const env = { PATH: '/bin', FORESAIL_KEY: 'k', DATABASE_URL: 'postgres://x', HOME: undefined };

    expect(childEnvironment(env)).toEqual({ PATH: '/bin' });
  });
});
