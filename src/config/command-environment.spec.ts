import { commandEnvironment } from './command-environment';

const ENV = {
  PATH: '/bin',
  LC_ALL: 'C',
  CUDA_VISIBLE_DEVICES: '1',
  HF_HOME: '/models',
  DATABASE_URL: 'postgres://u:p@h/d',
  FORESAIL_KEY: 'secret',
  MY_PATH: 'x',
};

describe('commandEnvironment', () => {
  it('passes a short list on, and what is asked for', () => {
    expect(commandEnvironment([], ENV)).toEqual({
      PATH: '/bin',
      LC_ALL: 'C',
      CUDA_VISIBLE_DEVICES: '1',
    });
    expect(commandEnvironment(['HF_HOME'], ENV)).toMatchObject({ HF_HOME: '/models' });
  });

  it('refuses names that are not set, or none that a variable has', () => {
    expect(() => commandEnvironment(['HF_HOME', 'A=B', 'ABSENT'], ENV)).toThrow(
      'A=B (environment): there is no such variable to pass on\nABSENT (environment)',
    );
  });
});
