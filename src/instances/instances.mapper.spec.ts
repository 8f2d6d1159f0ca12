import { instanceOf } from '../../test/support/builders';
import { instant } from '../core/units';
import { instanceAnswer } from './instances.mapper';

describe('instanceAnswer', () => {
  it('tells where an instance is and how it does', () => {
    const lastContact = instant(Date.parse('2026-11-21T10:00:00.000Z'));
    const instance = instanceOf('gpu7', 2, { lastContact, registeredWallMs: 0 });
    expect(instanceAnswer(instance, undefined)).toEqual({
      id: 'gpu7',
      name: 'gpu7',
      kind: 'task_instance',
      host: 'gpu7.test',
      port: 8000,
      tags: [],
      model: 'm',
      health: 'online',
      unfit_because: null,
      draining: false,
      drained_by: [],
      slots: 2,
      occupied: 0,
      waiting: 0,
      speed: 1,
      declared_speed: 1,
      speed_outcomes: 0,
      last_contact_at: '2026-11-21T10:00:00.000Z',
      registered_at: '1970-01-01T00:00:00.000Z',
    });
  });

  it('says by whose wish it drains', () => {
    const instance = instanceOf('a', 1, { drainAsked: true });
    const drained = (): unknown => {
      const { unfit_because: why, draining, drained_by: by } = instanceAnswer(instance, 'draining');
      return [why, draining, by];
    };
    expect(drained()).toEqual(['draining', true, ['operator']]);
    instance.drainsItself = true;
    expect(drained()).toEqual(['draining', true, ['operator', 'worker']]);
    instance.drainAsked = false;
    expect(drained()).toEqual(['draining', true, ['worker']]);
  });
});
