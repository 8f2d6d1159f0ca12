import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import type { Held } from '../../src/core/backlog';
import type { Fleet } from '../../src/core/fleet';
import type { Instance } from '../../src/core/instance';
import { queueKey, queueName } from '../../src/core/queue';
import { liveAttempt, type Change, type Task, type TaskDraft } from '../../src/core/task';
import { instanceId, taskId } from '../../src/core/units';
import { systemIds } from '../../src/ops/system';
import { createDataSource } from '../../src/persistence/data-source';
import { INVARIANT_QUERIES } from '../../src/persistence/invariant-queries';
import type { MismatchedRow } from '../../src/persistence/journal-transaction';
import type { Log } from '../../src/persistence/log';
import { TaskJournal, type TaskJournalOptions } from '../../src/persistence/task-journal';
import { blockedSessions } from './blocked-sessions';
import { draftOf, fleetRig, instanceDraftOf, type FleetRig } from './builders';
import { freshDatabase, type TestDatabase } from './database';

/** Keeps the lines that were logged. */
export class RecordedLog implements Log {
  readonly lines: object[] = [];

  readonly info = (line: object): void => this.keep(line);
  readonly warn = (line: object): void => this.keep(line);
  readonly error = (line: object): void => this.keep(line);

  private keep(line: object): void {
    this.lines.push(line);
  }
}

/** What tests send as input and metadata. */
export const PAYLOAD = { taskInput: '{"prompt":"hi"}', metadata: '{}' };

/** How an attempt ends that does what it should. */
export const SUCCESS = { kind: 'succeeded', executionMs: 12.5 } as const;

/** A task that was admitted by the fleet, and what is to be written of it. */
export interface Admitted {
  readonly task: Task;
  readonly changes: readonly Change[];
}

/** A fleet, its journal and their database. */
export interface JournalRig {
  readonly url: string;
  readonly fleet: Fleet;
  readonly rig: FleetRig;
  readonly journal: TaskJournal;
  readonly log: RecordedLog;
  /** How often the journal said that another term had begun, and what it found mismatched. */
  readonly told: { epochLost: number; mismatches: (readonly MismatchedRow[])[] };
  /** Another journal on the same database. */
  openJournal(options?: Partial<TaskJournalOptions>): Promise<TaskJournal>;
  /** A pool of that many connections (default: 2) for repositories; it ends with the rig. */
  openSource(poolSize?: number): Promise<DataSource>;
  /** Adds an instance to the fleet and to the table. */
  addInstance(slots: number): Promise<Instance>;
  /** Admits a task; it is reserved when a slot is free. */
  admit(overrides?: Partial<TaskDraft>): Admitted;
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** How many sessions wait for a lock of another one. */
  blocked(): Promise<number>;
  /** Names of the invariants that do not hold. */
  violations(): Promise<string[]>;
  close(): Promise<void>;
}

/** A rig on a database of its own, leading in term 1, with one instance of that many slots. */
export async function journalRig(
  slots = 2,
  options: Partial<TaskJournalOptions> = {},
): Promise<JournalRig> {
  const database = await freshDatabase();
  const client = new Client({ connectionString: database.url, application_name: 'tests' });
  client.on('error', () => undefined);
  await client.connect();
  const rig = await buildRig(database, client, options);
  await rig.addInstance(slots);
  return rig;
}

async function buildRig(
  database: TestDatabase,
  client: Client,
  options: Partial<TaskJournalOptions>,
): Promise<JournalRig> {
  const told: JournalRig['told'] = { epochLost: 0, mismatches: [] };
  const log = new RecordedLog();
  const rig = fleetRig({ ids: systemIds });
  const journals: TaskJournal[] = [];
  const sources: DataSource[] = [];
  const query: JournalRig['query'] = async <Row extends object>(text: string, values?: unknown[]) =>
    (await client.query<Row>(text, values)).rows;
  await query(`UPDATE leadership SET epoch = 1`);
  const openJournal: JournalRig['openJournal'] = async (more = {}) => {
    const journal = new TaskJournal({
      url: database.url,
      epoch: 1,
      logger: log,
      onEpochLost: () => {
        told.epochLost++;
      },
      onMismatch: (rows) => {
        told.mismatches.push(rows);
      },
      ...options,
      ...more,
    });
    journals.push(journal);
    await journal.start();
    return journal;
  };
  return {
    url: database.url,
    fleet: rig.fleet,
    rig,
    journal: await openJournal(),
    log,
    told,
    openJournal,
    openSource: async (poolSize = 2) => {
      const source = createDataSource(database.url, { poolSize });
      sources.push(source);
      return source.initialize();
    },
    addInstance: async (slots) => rig.fleet.addInstance(await instanceRow(query, slots)),
    admit: (overrides) => admit(rig.fleet, overrides),
    query,
    blocked: () => blockedSessions(client),
    violations: () => violations(query),
    close: async () => {
      await Promise.all(journals.map((journal) => journal.stop(1_000)));
      await Promise.all(sources.map((source) => source.destroy()));
      await client.end();
      await database.drop();
    },
  };
}

/** The task's live attempt, as the fleet holds it. */
export function heldOf(fleet: Fleet, task: Task): Held {
  const attempt = liveAttempt(task);
  const held = attempt && fleet.held(attempt);
  if (!held) throw new Error(`task ${task.id} has no live attempt`);
  return held;
}

/** Names of the invariants that do not hold in that database, with what breaks them. */
export async function violations(query: JournalRig['query']): Promise<string[]> {
  const broken: string[] = [];
  for (const { name, sql } of INVARIANT_QUERIES) {
    const rows = await query<{ subject: string; detail: string }>(sql);
    broken.push(...rows.map(({ subject, detail }) => `${name}: ${subject} ${detail}`));
  }
  return broken;
}

/** A task that was admitted and written. */
export async function submitted(
  rig: JournalRig,
  overrides: Partial<TaskDraft> = {},
): Promise<Task> {
  const { task, changes } = rig.admit(overrides);
  await rig.journal.submit(changes, PAYLOAD);
  return task;
}

/** Ends the task's live attempt with success and that result, and forgets the task. */
export async function finish(
  { fleet, journal }: JournalRig,
  task: Task,
  result: string | null = '{"ok":true}',
): Promise<void> {
  await journal.append(fleet.course.ended(heldOf(fleet, task), SUCCESS).changes, result);
  fleet.forget(task);
}

function admit(fleet: Fleet, overrides: Partial<TaskDraft> = {}): Admitted {
  const submission = fleet.submit(draftOf({ id: taskId(systemIds.next()), ...overrides }));
  if (submission.kind !== 'accepted') throw new Error(`the task was ${submission.kind}`);
  return submission;
}

async function instanceRow(query: JournalRig['query'], slots: number) {
  const id = instanceId(systemIds.next());
  const draft = instanceDraftOf(id, slots);
  await query(
    `INSERT INTO instances (id, kind, queue_kind, queue_name, host, port, name, protocol,
                            registration, registered_at)
     VALUES ($1, 'task_instance', 'model', $2, $3, $4, $5, 'enqueue', 1, now())`,
    [id, queueName(draft.queue), draft.host, draft.port, draft.name],
  );
  return draft;
}

/** The queue of the rig's instances. */
export const RIG_QUEUE = queueKey('model', 'm');
