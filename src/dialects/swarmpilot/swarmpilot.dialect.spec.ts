import { VERSION } from '../../config/version';
import { SchedulerError, type ErrorCode } from '../../core/errors';
import { swarmpilotBodyLimits, swarmpilotDialect } from './swarmpilot.dialect';

const answer = (code: ErrorCode, path = '/queue/submit', details = {}): unknown =>
  swarmpilotDialect.errorAnswer(new SchedulerError(code, 'what', details), 'request-1', path);

describe('what SwarmPilot owns', () => {
  it.each(['/ti', '/ti/x', '/queue/none', '/task/', '/notify/a/b', '/result/fetch'])(
    '%s',
    (path) => {
      expect(swarmpilotDialect.owns(path)).toBe(true);
    },
  );

  it.each(['/', '/tier', '/scheduler', '/scheduler/jobs', '/health/x', '/TI/register', '/v1/task'])(
    'is not %s',
    (path) => {
      expect(swarmpilotDialect.owns(path)).toBe(false);
    },
  );
});

describe('the answers to failures', () => {
  const failure = { status: 'error', message: 'what', detail: 'what' };

  it.each([
    [400, 'malformed_body'],
    [401, 'unauthenticated'],
    [403, 'forbidden'],
    [404, 'unknown_route'],
    [404, 'unknown_task'],
    [404, 'unknown_instance'],
    [405, 'method_not_allowed'],
    [409, 'duplicate_task'],
    [409, 'forbidden_transition'],
    [413, 'body_too_large'],
    [415, 'unsupported_content'],
    [429, 'queue_full'],
    [500, 'internal'],
    [503, 'no_instance'],
    [503, 'no_capacity'],
    [503, 'unsatisfiable'],
    [503, 'store_unavailable'],
    [503, 'not_leading'],
  ] as const)('%i with the same text twice: %s', (status, code) => {
    expect(answer(code)).toEqual({ status, body: failure });
  });

  it('list every fault of an input, and always list one', () => {
    const faults = [{ loc: ['body', 'port'], msg: 'wrong', type: 'range' }];
    expect(answer('invalid_input', '/ti/register', { faults })).toEqual({
      status: 422,
      body: { ...failure, detail: faults },
    });
    const detail = [{ loc: ['body'], msg: 'what', type: 'value' }];
    for (const code of ['invalid_input', 'rejected_by_store'] as const) {
      expect(answer(code)).toEqual({ status: 422, body: { ...failure, detail } });
    }
  });

  it('are 200 where the original answers a refusal with 200', () => {
    const body = { status: 'error', message: 'what' };
    expect(answer('unknown_strategy')).toEqual({ status: 200, body });
    for (const code of ['unreachable_instance', 'wrong_model'] as const) {
      expect(answer(code)).toEqual({ status: 200, body: { ...body, ti_uuid: '' } });
    }
  });

  it('have a shape of their own where health is asked for', () => {
    const body = { status: 'unhealthy', service: 'scheduler', version: VERSION, reason: 'what' };
    for (const code of ['store_unavailable', 'not_leading'] as const) {
      const unhealthy = { ...body, message: 'what', detail: 'what' };
      expect(answer(code, '/health')).toEqual({ status: 503, body: unhealthy });
    }
    expect(answer('method_not_allowed', '/health')).toEqual({ status: 405, body: failure });
  });
});

describe('swarmpilotBodyLimits', () => {
  it('lets a batch of 32 MiB in, a result at its limit, and what stands beside it', () => {
    const live = { liveTasks: 1, livePlacements: 1, waitingPlacements: 1, livePayloadBytes: 1 };
    const limits = { ...live, queuedPerQueue: 1, journalBuffer: 1 };
    const server = { host: '', port: 0, trustedNetworks: [], allowedHosts: [], frontDoor: true };
    const config = {
      server: { ...server, bodyLimitBytes: 1_000 },
      limits: { ...limits, resultLimitBytes: 50_000 },
    };
    expect(swarmpilotBodyLimits(config)).toEqual({
      '/queue/submit_batch': 33_554_432,
      '/result/submit': 51_000,
    });
  });
});
