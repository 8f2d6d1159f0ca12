import type { Task } from '../../src/core/task';
import { heldOf, journalRig, PAYLOAD, SUCCESS, type JournalRig } from '../support/journal-rig';

let rig: JournalRig;

beforeEach(async () => {
  rig = await journalRig();
});

afterEach(async () => {
  expect(await rig.violations()).toEqual([]);
  await rig.close();
});

async function stateOf({ id }: Task): Promise<string | undefined> {
  const [row] = await rig.query<{ state: string }>('SELECT state FROM tasks WHERE id = $1', [id]);
  return row?.state;
}

describe('what may wait', () => {
  /** How many commits have left events of the task. */
  const commitsOf = async ({ id }: Task): Promise<number> => {
    const text = 'SELECT DISTINCT xmin::text FROM task_events WHERE task_id = $1';
    return (await rig.query(text, [id])).length;
  };

  it('goes with what is said next of its task, in one commit', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    const confirmed = rig.fleet.course.confirmed(heldOf(rig.fleet, task), 'r-1');
    const waits = rig.journal.append(confirmed, null, true);
    const other = rig.admit();
    await rig.journal.submit(other.changes, PAYLOAD);
    expect(await stateOf(task)).toBe('dispatching');
    const { changes: ended } = rig.fleet.course.ended(heldOf(rig.fleet, task), SUCCESS);
    await rig.journal.append(ended, '{}');
    await waits;
    expect(await stateOf(task)).toBe('succeeded');
    const text = 'SELECT type FROM task_events WHERE task_id = $1 ORDER BY id';
    const types = (await rig.query<{ type: string }>(text, [task.id])).map(({ type }) => type);
    expect(types).toEqual(['submitted', 'reserved', 'dispatched', 'succeeded']);
    expect(await commitsOf(task)).toBe(2);
  });

  it('is written by itself when nothing follows', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    const confirmed = rig.fleet.course.confirmed(heldOf(rig.fleet, task), 'r-1');
    await rig.journal.append(confirmed, null, true);
    expect(await stateOf(task)).toBe('dispatched');
  });

  it('is written before the journal stops', async () => {
    const { task, changes } = rig.admit();
    await rig.journal.submit(changes, PAYLOAD);
    const confirmed = rig.fleet.course.confirmed(heldOf(rig.fleet, task), 'r-1');
    const waits = rig.journal.append(confirmed, null, true);
    await rig.journal.stop();
    await waits;
    expect(await stateOf(task)).toBe('dispatched');
  });
});
