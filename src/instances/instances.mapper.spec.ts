import { instanceOf } from '../../test/support/builders';
import { instant } from '../core/units';
import { instancesAnswer } from './instances.mapper';

describe('instancesAnswer', () => {
  it('tells where each instance is and how it does', () => {
    const lastContact = instant(Date.parse('2026-11-21T10:00:00.000Z'));
    const instance = instanceOf('gpu7', 2, { lastContact, registeredWallMs: 0 });
    expect(instancesAnswer([instance], lastContact)).toEqual({
      instances: [
        {
          id: 'gpu7',
          name: 'gpu7',
          kind: 'task_instance',
          host: 'gpu7.test',
          port: 8000,
          model: 'm',
          health: 'online',
          unfit_because: null,
          draining: false,
          slots: 2,
          occupied: 0,
          waiting: 0,
          speed: 1,
          last_contact_at: '2026-11-21T10:00:00.000Z',
          registered_at: '1970-01-01T00:00:00.000Z',
        },
      ],
    });
  });

  it('says why an instance gets no new work', () => {
    const reasons = [
      instanceOf('a', 0),
      instanceOf('b', 1, { drainAsked: true }),
      instanceOf('c', 1, { health: 'suspect' }),
    ].map((instance) => instancesAnswer([instance], instant(0)).instances[0]?.unfit_because);
    expect(reasons).toEqual(['no_replicas', 'draining', 'suspect']);
  });
});
