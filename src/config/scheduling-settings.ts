import { counts, decimal, list, text } from './setting';

/** Characters of the name of a licence pool. */
export const LONGEST_POOL_NAME = 200;
/** Of one licence pool. */
export const MOST_TOKENS = 1_000_000;

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
  licencePools: counts({
    env: 'FORESAIL_LICENCE_POOLS',
    min: 0,
    max: MOST_TOKENS,
    longestName: LONGEST_POOL_NAME,
    description:
      'Licence pools and their tokens, set at every start; others are set with `/v1/licence-pools`. ' +
      'A job draws from the pool that is called as its tool, else from `default`; without either ' +
      'there is no limit.',
  }),
} as const;
