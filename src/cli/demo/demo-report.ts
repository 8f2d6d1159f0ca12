import type { Fields } from '../fields';
import { durationText, tableText, type Column } from '../output';
import type { Ending } from '../replay/follower';
import type { ReplayOutcome } from '../replay/run-replay';
import { medianOf, spreadOf, type Spread } from '../../simulation/spread';
import { summaryOf, summaryText, type ReplaySummary } from '../replay/summary';

/** What a demo found; durations in real seconds. */
export interface DemoReport extends ReplaySummary {
  /** By name. */
  readonly workers: readonly WorkerReport[];
}

/** What one worker did. */
interface WorkerReport {
  readonly name: string;
  readonly model: string;
  /** As the worker declares it: the learned one would hide by how much the predictions are off. */
  readonly speed: number;
  /** Tasks that succeeded there. */
  readonly tasks: number;
  /** Share of the run in which it worked. */
  readonly busy: number;
  readonly wait: Spread;
  readonly service: Spread;
  readonly predictedOverActual: { readonly p50: number | null };
}

/**
 * Counts and spreads of a run, in all and per worker. Predictions are for a worker of speed 1: each
 * is held against what its own worker should have needed.
 *
 * @param instances as the scheduler lists them
 */
export function demoReport(outcome: ReplayOutcome, instances: readonly Fields[]): DemoReport {
  const speeds = new Map(instances.map((item) => [item.text('id'), item.number('declared_speed')]));
  const endings = outcome.endings.map((ending) => atSpeed(ending, speeds));
  const workers = instances.map((item) => {
    const own = endings.filter(({ instanceId }) => instanceId === item.text('id'));
    return workerReport(item, own, outcome.wallSeconds);
  });
  return {
    ...summaryOf({ ...outcome, endings }),
    workers: workers.sort((a, b) => a.name.localeCompare(b.name)),
  };
}

function atSpeed(ending: Ending, speeds: ReadonlyMap<string, number>): Ending {
  const { instanceId, predictedOverActual: ratio } = ending;
  const speed = instanceId === null ? undefined : speeds.get(instanceId);
  return speed === undefined || ratio === null
    ? ending
    : { ...ending, predictedOverActual: ratio / speed };
}

function workerReport(
  instance: Fields,
  endings: readonly Ending[],
  wallSeconds: number,
): WorkerReport {
  const good = endings.filter(({ state }) => state === 'succeeded');
  const services = good.flatMap(({ serviceSeconds }) => serviceSeconds ?? []);
  const worked = services.reduce((total, seconds) => total + seconds, 0);
  return {
    name: instance.text('name'),
    model: instance.text('model'),
    speed: instance.number('declared_speed'),
    tasks: good.length,
    busy: Math.round((worked / wallSeconds) * 1e3) / 1e3,
    wait: spreadOf(good.flatMap(({ waitSeconds }) => waitSeconds ?? [])),
    service: spreadOf(services),
    predictedOverActual: {
      p50: medianOf(good.flatMap(({ predictedOverActual }) => predictedOverActual ?? [])),
    },
  };
}

/** The report for people. */
export function demoReportText(report: DemoReport): string {
  return `${summaryText(report)}\n${tableText(report.workers, COLUMNS, '')}`;
}

const COLUMNS: readonly Column<WorkerReport>[] = [
  { head: 'WORKER', value: ({ name }) => name },
  { head: 'SPEED', align: 'right', value: ({ speed }) => shortText(speed) },
  { head: 'TASKS', align: 'right', value: ({ tasks }) => String(tasks) },
  { head: 'BUSY', align: 'right', value: ({ busy }) => `${Math.round(busy * 100)} %` },
  { head: 'WAIT p50', align: 'right', value: ({ wait }) => secondsText(wait.p50) },
  { head: 'p95', align: 'right', value: ({ wait }) => secondsText(wait.p95) },
  { head: 'SERVICE p50', align: 'right', value: ({ service }) => secondsText(service.p50) },
  { head: 'p95', align: 'right', value: ({ service }) => secondsText(service.p95) },
  {
    head: 'PREDICTED/ACTUAL',
    align: 'right',
    value: ({ predictedOverActual: { p50 } }) => (p50 === null ? '–' : p50.toFixed(3)),
  },
];

/** At most two decimals. */
function shortText(value: number): string {
  return String(Number(value.toFixed(2)));
}

function secondsText(seconds: number | null): string {
  return seconds === null ? '–' : durationText(seconds * 1_000);
}
