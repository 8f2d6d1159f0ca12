import { Logger } from '@nestjs/common';
import {
  draftOf,
  fleetRig,
  instanceDraftOf,
  newestHeld,
  submitted,
} from '../../test/support/builders';
import type { Change } from '../core/task';
import { PayloadCache } from './payload-cache';
import { TaskRecorder } from './task-recorder';

/** A journal whose commits come when the test says so, in their order. */
class SlowJournal {
  readonly available = true;
  readonly spareRows = Infinity;
  private readonly waiting: (() => void)[] = [];

  append(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async commitNext(): Promise<void> {
    this.waiting.shift()?.();
    await new Promise(setImmediate);
  }
}

beforeAll(() => {
  Logger.overrideLogger(false);
});

describe('TaskRecorder', () => {
  it('lets a task go when its end is committed, not with the commit of an earlier step', async () => {
    const { fleet } = fleetRig();
    const journal = new SlowJournal();
    const term = { epoch: 1, end: () => undefined };
    const recorder = new TaskRecorder(fleet, journal, new PayloadCache(), term, []);
    fleet.addInstance(instanceDraftOf('gpu7'));
    const { task } = submitted(fleet, draftOf({ clientId: 'c' }));
    const held = newestHeld(fleet, task);
    const known = (): boolean => fleet.findTask('model', 'c') !== undefined;

    const written: Promise<void>[] = [];
    const record = (changes: readonly Change[]): void =>
      void written.push(recorder.record(changes));
    record(fleet.course.confirmed(held, '7'));
    record(fleet.course.ended(held, { kind: 'succeeded', executionMs: 1 }).changes);
    expect(task.state).toBe('succeeded');
    await journal.commitNext();
    expect(known()).toBe(true);
    await journal.commitNext();
    expect(known()).toBe(false);
    await Promise.all(written);
  });

  it('tells everyone who listens, and writes all the same when one of them fails', async () => {
    const { fleet } = fleetRig();
    const journal = new SlowJournal();
    const term = { epoch: 1, end: () => undefined };
    const heard: string[] = [];
    const deaf = {
      told: (): void => {
        throw new Error('not today');
      },
    };
    const attentive = {
      told: (changes: readonly Change[]): void =>
        void heard.push(...changes.map(({ event }) => event.type)),
    };
    const listeners = [deaf, attentive];
    const recorder = new TaskRecorder(fleet, journal, new PayloadCache(), term, listeners);
    fleet.addInstance(instanceDraftOf('gpu7'));
    const { task } = submitted(fleet, draftOf({}));
    const held = newestHeld(fleet, task);

    const outcome = { kind: 'succeeded', executionMs: 1 } as const;
    const written = recorder.record(fleet.course.ended(held, outcome).changes);
    await journal.commitNext();
    await written;
    expect(heard).toEqual(['succeeded']);
  });
});
