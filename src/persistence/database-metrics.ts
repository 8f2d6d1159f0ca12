import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { TERM, type Term } from '../ops/term';
import { DatabaseProbe } from './database-probe';
import { TASK_JOURNAL, type JournalStats, type TaskJournal } from './task-journal';

const MS_PER_SECOND = 1_000;
const FLUSH_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const BATCH_ROWS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** How the database and the journal are doing. */
@Injectable()
export class DatabaseMetrics {
  constructor(
    registry: Registry,
    probe: DatabaseProbe,
    @Inject(TASK_JOURNAL) journal: TaskJournal,
    @Inject(TERM) term: Term,
  ) {
    const registers = [registry];
    new Gauge({
      name: 'foresail_database_up',
      help: '1 while the database answers within a second.',
      registers,
      async collect() {
        this.set((await probe.durability()) ? 1 : 0);
      },
    });
    new Gauge({
      name: 'foresail_term_epoch',
      help: 'Number of the term in which this process leads.',
      registers,
    }).set(term.epoch);
    watchFlushes(registry, journal);
    const gauge = (name: string, help: string, of: (stats: JournalStats) => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(of(journal.stats()));
        },
      });
    };
    const counter = (name: string, help: string, of: (stats: JournalStats) => number): void => {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(of(journal.stats()));
        },
      });
    };
    gauge(
      'foresail_journal_pending_rows',
      'Rows that wait for their commit.',
      (s) => s.pendingRows,
    );
    gauge('foresail_journal_pending_bytes', 'What those rows take.', (s) => s.pendingBytes);
    counter('foresail_journal_refused_total', 'Rows that the database refused.', (s) => s.refused);
    counter(
      'foresail_journal_disconnects_total',
      'Times the journal lost its connection.',
      (s) => s.disconnects,
    );
  }
}

function watchFlushes(registry: Registry, journal: TaskJournal): void {
  const registers = [registry];
  const rows = new Histogram({
    name: 'foresail_journal_batch_rows',
    help: 'Rows of a commit of the journal.',
    buckets: BATCH_ROWS,
    registers,
  });
  const lag = new Histogram({
    name: 'foresail_journal_lag_seconds',
    help: 'From the first change of a batch to its commit.',
    buckets: FLUSH_SECONDS,
    registers,
  });
  journal.watch((flush) => {
    rows.observe(flush.rows);
    lag.observe(flush.lagMs / MS_PER_SECOND);
  });
}
