import { fleetRig, heldOf, instanceDraftOf, taskOf } from '../../test/support/builders';
import { NO_TRAITS } from '../core/instance';
import { instanceId } from '../core/units';
import { assertControllable } from './job-control';

/** A fleet with a host of that prefix, and a job that runs there. */
function running(executorPrefix: string) {
  const { fleet } = fleetRig();
  fleet.addInstance(instanceDraftOf('h1', 1, { traits: { ...NO_TRAITS, executorPrefix } }));
  const task = taskOf({ kind: 'batch', state: 'running' });
  heldOf(task, { instanceId: instanceId('h1') });
  return { fleet, task };
}

describe('assertControllable', () => {
  it('lets a job be paused that runs on this machine', () => {
    const { fleet, task } = running('');
    expect(() => assertControllable(fleet, task, 'running', 'paused')).not.toThrow();
  });

  it('says which state is in the way', () => {
    const { fleet, task } = running('');
    task.state = 'stopping';
    expect(() => assertControllable(fleet, task, 'running', 'paused')).toThrow(
      `job ${task.id} cannot be paused: it is stopping, not running`,
    );
  });

  it('says that its host is reached through a prefix', () => {
    const { fleet, task } = running('ssh gpu7');
    expect(() => assertControllable(fleet, task, 'running', 'paused')).toThrow(
      'its host h1 is reached through a prefix',
    );
  });

  it('is for jobs only', () => {
    const { fleet, task } = running('');
    expect(() =>
      assertControllable(fleet, { ...task, kind: 'model' }, 'running', 'paused'),
    ).toThrow('it is a model task');
  });
});
