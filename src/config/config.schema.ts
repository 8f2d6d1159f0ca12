import { ALERT_SETTINGS } from './alert-settings';
import { COMMAND_SETTINGS } from './command-settings';
import { parseNetwork } from './networks';
import { SCHEDULING_SETTINGS } from './scheduling-settings';
import {
  choice,
  decimal,
  duration,
  integer,
  list,
  optionalPath,
  optionalText,
  optionalUrl,
  Setting,
  text,
  toggle,
} from './setting';

const MIB = 1_048_576;
const GIB = 1_024 * MIB;

/** Levels of the log, quietest last. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/**
 * Every setting of the scheduler, in the slices that are injected. The documentation's table and
 * the example file are made from this list (`settings-docs.ts`).
 */
export const SETTINGS = {
  server: {
    host: text({
      env: 'FORESAIL_HOST',
      fallback: '127.0.0.1',
      description:
        'Address to listen on. Any other than loopback needs a key or `FORESAIL_TRUSTED_NETWORKS`.',
    }),
    port: integer({
      env: 'FORESAIL_PORT',
      fallback: 8102,
      min: 0,
      max: 65_535,
      description: 'Port to listen on; 0 takes a free one.',
    }),
    trustedNetworks: list({
      env: 'FORESAIL_TRUSTED_NETWORKS',
      allowed: 'a list of CIDR blocks or addresses, as in 10.0.0.0/8,fd00::/8',
      item: (block) => parseNetwork(block) !== undefined,
      description:
        'CIDR blocks from which clients and workers of the dialects are served without a key.',
    }),
    allowedHosts: list({
      env: 'FORESAIL_ALLOWED_HOSTS',
      allowed: 'a list of host names without ports',
      item: (name) => /^[\w.-]+$/.test(name),
      description:
        'Names under which this service is reached, beside addresses, localhost and the ' +
        "machine's own name. Requests for other names are refused (DNS rebinding).",
    }),
    bodyLimitBytes: integer({
      env: 'FORESAIL_BODY_LIMIT_BYTES',
      unit: 'bytes',
      fallback: MIB,
      min: 1_024,
      max: 32 * MIB,
      description: 'Largest request body, and largest task of a batch, which may have 32 MiB.',
    }),
    frontDoor: toggle({
      env: 'FORESAIL_FRONT_DOOR',
      fallback: true,
      description:
        'Answer the calls that come most often in front of Express. Off: all go through it, with ' +
        'the same answers.',
    }),
  },
  database: {
    url: optionalUrl({
      env: 'DATABASE_URL',
      schemes: ['postgres:', 'postgresql:'],
      description: 'PostgreSQL to use. Without it an embedded PostgreSQL is started.',
    }),
    dataDir: optionalPath({
      env: 'FORESAIL_DATA_DIR',
      description:
        'Folder of the embedded PostgreSQL. Default: `.data` in the project, or ' +
        '`/var/lib/foresail` when started as root.',
    }),
    postgresUser: optionalText({
      env: 'FORESAIL_POSTGRES_USER',
      description: 'System user that runs the embedded PostgreSQL when the service runs as root.',
    }),
  },
  limits: {
    queuedPerQueue: integer({
      env: 'FORESAIL_QUEUE_LIMIT',
      unit: 'tasks',
      fallback: 50_000,
      min: 1,
      max: 10_000_000,
      description: 'Waiting tasks of one queue; above it submissions are refused.',
    }),
    livePlacements: integer({
      env: 'FORESAIL_LIVE_PLACEMENTS',
      unit: 'placements',
      fallback: 50_000,
      min: 1,
      max: 10_000_000,
      description:
        'Placements at workers that are not over; above it the oldest go that no worker names.',
    }),
    waitingPlacements: integer({
      env: 'FORESAIL_WAITING_PLACEMENTS',
      unit: 'placements',
      fallback: 10_000,
      min: 0,
      max: 1_000_000,
      description: 'Clients that may wait for a worker at once (`wait_ms`).',
    }),
    liveTasks: integer({
      env: 'FORESAIL_LIVE_TASKS',
      unit: 'tasks',
      fallback: 100_000,
      min: 1,
      max: 10_000_000,
      description: 'Tasks that are not finished, in all queues. Each takes about 600 bytes.',
    }),
    livePayloadBytes: integer({
      env: 'FORESAIL_LIVE_PAYLOAD_BYTES',
      unit: 'bytes',
      fallback: GIB,
      min: MIB,
      max: 1_024 * GIB,
      description: 'Input and metadata of all tasks that are not finished, in the database.',
    }),
    resultLimitBytes: integer({
      env: 'FORESAIL_RESULT_LIMIT_BYTES',
      unit: 'bytes',
      fallback: MIB,
      min: 1_024,
      max: 32 * MIB,
      description: 'Largest result of a task; a larger one ends the task as failed.',
    }),
    journalBuffer: integer({
      env: 'FORESAIL_JOURNAL_BUFFER',
      unit: 'steps',
      fallback: 50_000,
      min: 100,
      max: 10_000_000,
      description:
        'Steps of tasks that may wait for the database; submissions are refused with 503 at three quarters.',
    }),
  },
  intervals: {
    selfCheckMs: duration({
      env: 'FORESAIL_SELF_CHECK_MS',
      fallback: 60_000,
      description: 'How often the leader checks what must hold of the record of live tasks.',
    }),
    statusPollMs: duration({
      env: 'FORESAIL_STATUS_POLL_MS',
      fallback: 3_000,
      description: 'How often the status of each task instance is asked, at least.',
    }),
    suspectMs: duration({
      env: 'FORESAIL_SUSPECT_MS',
      fallback: 10_000,
      description: 'Silence after which an instance gets no new work.',
    }),
    lostMs: duration({
      env: 'FORESAIL_LOST_MS',
      fallback: 20_000,
      description: 'Silence after which an instance is lost and its tasks are placed again.',
    }),
    connectMs: duration({
      env: 'FORESAIL_CONNECT_MS',
      fallback: 2_000,
      description: 'Patience for a connection to a worker.',
    }),
    enqueueMs: duration({
      env: 'FORESAIL_ENQUEUE_MS',
      fallback: 10_000,
      description: 'Patience for the whole call that hands a task to a worker.',
    }),
    ambiguityMs: duration({
      env: 'FORESAIL_AMBIGUITY_MS',
      fallback: 20_000,
      description:
        'How long a task whose hand-over got no answer is waited for before it is placed again.',
    }),
    resultPollFirstMs: duration({
      env: 'FORESAIL_RESULT_POLL_FIRST_MS',
      fallback: 50,
      description: 'First interval between two questions for a result that is due; it doubles.',
    }),
    resultPollMostMs: duration({
      env: 'FORESAIL_RESULT_POLL_MOST_MS',
      fallback: 3_000,
      description: 'Longest interval between two questions for a result that is due.',
    }),
    resultPatienceMs: duration({
      env: 'FORESAIL_RESULT_PATIENCE_MS',
      fallback: 10_000,
      description: 'How long the result of a task that was only reported as done is asked for.',
    }),
    workerLandingMs: duration({
      env: 'FORESAIL_WORKER_LANDING_MS',
      fallback: 3_000,
      description:
        'Time for a placement to arrive at its worker: so long it is counted beside what the worker says.',
    }),
    placementRetentionMs: duration({
      env: 'FORESAIL_PLACEMENT_RETENTION_MS',
      fallback: 3_600_000,
      description: 'Age at which a placement is let go that nobody has released.',
    }),
    attemptTimeoutMs: duration({
      env: 'FORESAIL_ATTEMPT_TIMEOUT_MS',
      fallback: 3_600_000,
      description: 'Longest run of a model task; `metadata.timeout_ms` goes before it.',
    }),
    leaseMs: duration({
      env: 'FORESAIL_LEASE_MS',
      fallback: 10_000,
      min: 1_000,
      description: 'How long the right to lead lasts without being renewed.',
    }),
    leaseRenewMs: duration({
      env: 'FORESAIL_LEASE_RENEW_MS',
      fallback: 3_000,
      description: 'How often the leader renews its right to lead.',
    }),
    leaseMarginMs: duration({
      env: 'FORESAIL_LEASE_MARGIN_MS',
      fallback: 2_000,
      description: 'How long before the end of its lease the leader stops acting.',
    }),
    standbyPollMs: duration({
      env: 'FORESAIL_STANDBY_POLL_MS',
      fallback: 250,
      description: 'How often a standby tries to take over.',
    }),
  },
  retries: {
    maxAttempts: integer({
      env: 'FORESAIL_MAX_ATTEMPTS',
      unit: 'attempts',
      fallback: 3,
      min: 1,
      max: 100,
      description: 'Attempts of a task whose workers keep getting lost; then it fails.',
    }),
    backoffFirstMs: duration({
      env: 'FORESAIL_BACKOFF_FIRST_MS',
      fallback: 1_000,
      description: 'Upper end of the random pause before the first retry; it doubles.',
    }),
    backoffMostMs: duration({
      env: 'FORESAIL_BACKOFF_MOST_MS',
      fallback: 60_000,
      description: 'Longest pause before a retry.',
    }),
  },
  circuit: {
    faults: integer({
      env: 'FORESAIL_CIRCUIT_FAULTS',
      unit: 'starts',
      fallback: 3,
      min: 1,
      max: 1_000,
      description:
        'Starts in a row that go wrong at an instance (no connection, no answer, 5xx other than ' +
        '503) before it gets no new work for a while.',
    }),
    pauseFirstMs: duration({
      env: 'FORESAIL_CIRCUIT_FIRST_MS',
      fallback: 5_000,
      description:
        'How long such an instance gets nothing before it is tried with one task; it doubles.',
    }),
    pauseMostMs: duration({
      env: 'FORESAIL_CIRCUIT_MOST_MS',
      fallback: 60_000,
      description: 'Longest pause before such an instance is tried again.',
    }),
    quarantineFirstMs: duration({
      env: 'FORESAIL_QUARANTINE_FIRST_MS',
      fallback: 60_000,
      description:
        'How long an instance that keeps failing tasks which others complete gets nothing before ' +
        'it is tried with one task; it doubles.',
    }),
    quarantineMostMs: duration({
      env: 'FORESAIL_QUARANTINE_MOST_MS',
      fallback: 1_800_000,
      description: 'Longest quarantine before such an instance is tried again.',
    }),
  },
  retention: {
    historyDays: decimal({
      env: 'FORESAIL_HISTORY_DAYS',
      unit: 'days',
      fallback: 30,
      min: 0,
      max: 36_500,
      description: 'How long finished tasks and their events are kept.',
    }),
    payloadDays: decimal({
      env: 'FORESAIL_PAYLOAD_DAYS',
      unit: 'days',
      fallback: 7,
      min: 0,
      max: 36_500,
      description: 'How long inputs and results of finished tasks are kept.',
    }),
    sweepMs: duration({
      env: 'FORESAIL_RETENTION_SWEEP_MS',
      fallback: 60_000,
      description: 'How often a batch of what is too old is removed.',
    }),
  },
  scheduling: SCHEDULING_SETTINGS,
  predictions: {
    predictorUrl: optionalUrl({
      env: 'FORESAIL_PREDICTOR_URL',
      schemes: ['http:', 'https:'],
      description:
        'Predictor service that is asked first, base path included, as in ' +
        '`http://predictor:8200` or `http://other:8102/predictor`.',
    }),
    predictorTimeoutMs: duration({
      env: 'FORESAIL_PREDICTOR_TIMEOUT_MS',
      fallback: 100,
      description:
        'Patience for the predictor service: a submission waits for it, and goes on without it.',
    }),
    lookupFile: optionalPath({
      env: 'FORESAIL_LOOKUP_FILE',
      description:
        'JSON file of known service times: records of model, hardware, software and quantiles.',
    }),
    defaultMs: duration({
      env: 'FORESAIL_DEFAULT_PREDICTION_MS',
      fallback: 1_000,
      description: 'Predicted service time of a task of which nothing is known.',
    }),
  },
  instances: {
    instancesFile: optionalPath({
      env: 'FORESAIL_INSTANCES_FILE',
      description: 'YAML file of task instances that are registered at start.',
    }),
    workerNetworks: list({
      env: 'FORESAIL_WORKER_NETWORKS',
      allowed: 'a list of CIDR blocks or addresses, as in 10.0.0.0/8,fd00::/8',
      item: (block) => parseNetwork(block) !== undefined,
      description:
        'CIDR blocks in which task instances may be; nothing is sent to others. Empty: anywhere.',
    }),
  },
  commands: COMMAND_SETTINGS,
  alerts: ALERT_SETTINGS,
  log: {
    level: choice({
      env: 'FORESAIL_LOG_LEVEL',
      options: LOG_LEVELS,
      fallback: 'info',
      description: 'Level from which on lines are logged.',
    }),
  },
  testing: {
    crashAt: optionalText({
      env: 'FORESAIL_CRASH_AT',
      pattern: /^[a-z]+:[a-z-]+(?:#[1-9]\d{0,5})?$/,
      allowed:
        'the name of a crash point, and optionally which pass of it: journal:before-commit#2',
      hidden: true,
      description: 'Point at which the process kills itself, for tests.',
    }),
  },
} as const satisfies Record<string, Record<string, Setting<unknown>>>;

type Settings = typeof SETTINGS;

/** The whole configuration, frozen: one object per slice. Absent settings are undefined. */
export type Config = {
  readonly [Slice in keyof Settings]: {
    readonly [Key in keyof Settings[Slice]]: ValueOf<Settings[Slice][Key]>;
  };
};

/** Name of a slice of the configuration. */
export type SliceName = keyof Config;

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** Settings that mean nothing without another one, by their names in the environment. */
export const COMPANIONS: readonly { setting: string; needs: string }[] = [
  { setting: 'FORESAIL_ALERT_URLS', needs: 'FORESAIL_ALERT_SECRET' },
];

/** Pairs of numbers that only make sense in order, by their names in the environment. */
export const ORDERED: readonly { less: readonly string[]; than: string; orEqual?: true }[] = [
  { less: ['FORESAIL_STATUS_POLL_MS'], than: 'FORESAIL_SUSPECT_MS' },
  { less: ['FORESAIL_SUSPECT_MS'], than: 'FORESAIL_LOST_MS' },
  { less: ['FORESAIL_CONNECT_MS'], than: 'FORESAIL_ENQUEUE_MS', orEqual: true },
  { less: ['FORESAIL_ENQUEUE_MS'], than: 'FORESAIL_AMBIGUITY_MS' },
  {
    less: ['FORESAIL_RESULT_POLL_FIRST_MS'],
    than: 'FORESAIL_RESULT_POLL_MOST_MS',
    orEqual: true,
  },
  { less: ['FORESAIL_LEASE_RENEW_MS', 'FORESAIL_LEASE_MARGIN_MS'], than: 'FORESAIL_LEASE_MS' },
  { less: ['FORESAIL_BACKOFF_FIRST_MS'], than: 'FORESAIL_BACKOFF_MOST_MS', orEqual: true },
  { less: ['FORESAIL_CIRCUIT_FIRST_MS'], than: 'FORESAIL_CIRCUIT_MOST_MS', orEqual: true },
  { less: ['FORESAIL_QUARANTINE_FIRST_MS'], than: 'FORESAIL_QUARANTINE_MOST_MS', orEqual: true },
  { less: ['FORESAIL_HOST_PROBE_MS'], than: 'FORESAIL_HOST_OFFLINE_MS' },
  { less: ['FORESAIL_HOST_OFFLINE_MS'], than: 'FORESAIL_HOST_LOST_MS' },
  { less: ['FORESAIL_PAYLOAD_DAYS'], than: 'FORESAIL_HISTORY_DAYS', orEqual: true },
];
