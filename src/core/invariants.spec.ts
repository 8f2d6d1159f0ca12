import {
  draftOf,
  fleetRig,
  hostDraftOf,
  jobDraftOf,
  jobOf,
  newestHeld,
  placeAll,
  QUEUE,
  rigWith,
  settingsOf,
  submitted,
  taskOf,
} from '../../test/support/builders';
import type { Held } from './backlog';
import type { Fleet } from './fleet';
import type { Instance } from './instance';
import { checkInvariants } from './invariants';
import type { Queue } from './queue';
import type { Task } from './task';
import { instant } from './units';

/** A sound fleet in the middle of things: one task runs, one is bound, two attempts are sent. */
interface Scene {
  readonly fleet: Fleet;
  readonly queue: Queue;
  readonly instance: Instance;
  readonly running: Task;
  readonly held: Held;
  readonly waiting: Task;
}

function scene(): Scene {
  const { fleet, instances } = rigWith([1], settingsOf('shortest_queue'));
  const running = submitted(fleet, draftOf()).task;
  const waiting = submitted(fleet, draftOf()).task;
  const [instance] = instances;
  const queue = fleet.queues.get(QUEUE);
  if (!instance || !queue) throw new Error('one instance, one queue');
  return { fleet, queue, instance, running, held: newestHeld(fleet, running), waiting };
}

describe('checkInvariants', () => {
  it('finds nothing wrong with a sound fleet', () => {
    expect(checkInvariants(scene().fleet)).toEqual([]);
  });

  it('counts an abandoned attempt whose task has left', () => {
    const { fleet, running } = scene();
    fleet.course.stop(running, 'cancelled', 'asked');
    fleet.forget(running);
    expect(checkInvariants(fleet)).toEqual([]);
  });

  it('adds up what jobs have of hosts and licence pools', () => {
    const { fleet } = fleetRig();
    const host = fleet.addInstance(hostDraftOf('a', 4));
    fleet.licences.set('vcs', 2);
    const { task } = submitted(fleet, jobDraftOf({ job: jobOf({ tool: 'vcs', tokens: 1 }) }));
    placeAll(fleet);
    expect(checkInvariants(fleet)).toEqual([]);
    host.backlog.letGo(newestHeld(fleet, task).attempt);
    const faults = checkInvariants(fleet).join('; ');
    expect(faults).toContain('I6: a counts 0 cpu, 1 are taken');
    expect(faults).toContain('I6: pool vcs counts 0 tokens, 1 are drawn');
  });

  it.each<[string, RegExp, (scene: Scene) => void]>([
    [
      'a second live attempt',
      /I3: .* 2 live/,
      ({ running, held }) => (running.attempts = [held.attempt, { ...held.attempt }]),
    ],
    ['an active task without attempt', /I5: .* with 0/, ({ running }) => (running.attempts = [])],
    [
      'a live attempt of a waiting task',
      /I5: .*queued/,
      ({ running }) => (running.state = 'queued'),
    ],
    ['an end without a time', /I2: .*succeeded/, ({ running }) => (running.state = 'succeeded')],
    ['a time without an end', /I2: .*123/, ({ running }) => (running.finishedAt = instant(123))],
    [
      'a failure of a task that has not failed',
      /with failure lost/,
      ({ running }) => (running.failure = { kind: 'lost', message: '' }),
    ],
    [
      'a task that left its line',
      /in no line/,
      ({ instance, waiting }) => instance.line.remove(waiting),
    ],
    ['a running task in line', /and in a line/, ({ queue, running }) => queue.line.add(running)],
    ['a task in two lines', /stand in line/, ({ queue, waiting }) => queue.line.add(waiting)],
    [
      'a plan of a running task',
      /still planned/,
      ({ running, instance }) => (running.plannedOn = instance.id),
    ],
    [
      'a task without a plan',
      /planned on no instance/,
      ({ waiting }) => (waiting.plannedOn = null),
    ],
    [
      'a waiting task that was counted twice',
      /counts 2 waiting/,
      ({ queue, waiting }) => queue.join(waiting, instant(0)),
    ],
    [
      'an attempt that nobody can find',
      /not in the index/,
      ({ fleet, held }) => fleet.attempts.delete(held.attempt.dispatchId),
    ],
    [
      'a slot that was given back twice',
      /I6: i-1 holds 0/,
      ({ instance, held }) => instance.backlog.letGo(held.attempt),
    ],
    [
      'a slot that was not given back',
      /I6: i-1 holds attempts that are over/,
      ({ held }) => (held.attempt.state = 'lost'),
    ],
    [
      'a live attempt whose task has left',
      /I5: attempt .* has left/,
      ({ fleet, held }) => fleet.attempts.add({ task: taskOf(), attempt: held.attempt }),
    ],
    [
      'work that is not that of the waiting tasks',
      /not the sum over its waiting tasks/,
      ({ waiting }) => Object.assign(waiting.prediction, { serviceTime: { mean: 5, variance: 0 } }),
    ],
    [
      'a plan in two places',
      /planned elsewhere/,
      ({ instance, waiting }) =>
        instance.backlog.plan(
          Object.assign(taskOf(), { plannedOn: null, prediction: waiting.prediction }),
        ),
    ],
    ['a slot that idles', /idles a slot/, ({ held }) => (held.attempt.runningSince = null)],
    [
      'bytes that are not those of the tasks',
      /live payload/,
      ({ running }) => Object.assign(running, { payloadBytes: 11 }),
    ],
  ])('finds %s', (_name, fault, plant) => {
    const planted = scene();
    plant(planted);
    expect(checkInvariants(planted.fleet).join('\n')).toMatch(fault);
  });
});
