import { decimal, list, text } from './setting';

/** In which order tasks wait, and where they go. */
export const SCHEDULING_SETTINGS = {
  defaultStrategy: text({
    env: 'FORESAIL_DEFAULT_STRATEGY',
    fallback: 'earliest',
    pattern: /^[a-z][a-z0-9_]*$/,
    allowed: 'the name of a strategy, as in shortest_queue',
    description: 'Strategy of queues for which none was set.',
  }),
  orderWeight: decimal({
    env: 'FORESAIL_ORDER_WEIGHT',
    fallback: 2,
    min: 0,
    max: 1_000,
    description:
      'Weight g: waiting tasks are ordered by arrival + g × predicted service time. 0 is first come ' +
      'first served, 2 lowers the mean wait, 10 lowers it further at the cost of long tasks.',
  }),
  strategyFiles: list({
    env: 'FORESAIL_STRATEGY_FILES',
    allowed: 'a list of paths',
    isPath: true,
    description: 'Files with strategies of your own, loaded at start.',
  }),
  batchStrategy: text({
    env: 'FORESAIL_BATCH_STRATEGY',
    fallback: 'least_loaded',
    pattern: /^[a-z][a-z0-9_]*$/,
    allowed: 'the name of a strategy that binds late, as in best_fit',
    description:
      'Strategy of the queue of batch jobs, while none was set for it. best_fit lets wide jobs wait less.',
  }),
} as const;
