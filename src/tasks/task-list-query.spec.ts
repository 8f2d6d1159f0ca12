import { isSchedulerError } from '../core/errors';
import { TaskListQueryDto } from './dto/task-list.dto';
import { questionOf } from './task-list-query';

const NOW = Date.UTC(2026, 10, 21, 12);
const ask = (query: object) => questionOf(Object.assign(new TaskListQueryDto(), query), NOW);

describe('questionOf', () => {
  it('asks for everything when nothing is said', () => {
    expect(ask({})).toEqual({});
  });

  it.each([
    ['failed', ['failed']],
    ['failed, timed_out,failed', ['failed', 'timed_out']],
    ['live', ['queued', 'dispatching', 'dispatched', 'running', 'paused', 'stopping']],
    ['finished', ['succeeded', 'failed', 'cancelled', 'timed_out', 'released']],
    ['finished,queued,failed', expect.arrayContaining(['queued', 'failed', 'succeeded'])],
  ])('takes the states %s', (state, states) => {
    expect(ask({ state })).toEqual({ states });
  });

  it('takes names as they are', () => {
    const named = { kind: 'model', queue: 'm/1', instance: 'gpu7:8100' };
    expect(ask(named)).toEqual({ kind: 'model', queueName: 'm/1', instanceRef: 'gpu7:8100' });
  });

  it.each([
    ['2026-11-21', '2026-11-21T00:00:00.000Z'],
    ['2026-11-21T10:00Z', '2026-11-21T10:00:00.000Z'],
    ['2026-11-21T10:00:00.123456+01:00', '2026-11-21T09:00:00.123Z'],
    ['90s', '2026-11-21T11:58:30.000Z'],
    ['30m', '2026-11-21T11:30:00.000Z'],
    ['24h', '2026-11-20T12:00:00.000Z'],
    ['7d', '2026-11-14T12:00:00.000Z'],
    ['500ms', '2026-11-21T11:59:59.500Z'],
    ['999999999999d', '1970-01-01T00:00:00.000Z'],
    ['0001-01-01', '1970-01-01T00:00:00.000Z'],
  ])('takes the time %s', (text, time) => {
    expect(ask({ createdAfter: text })).toEqual({ submittedFrom: new Date(time) });
    expect(ask({ createdBefore: text })).toEqual({ submittedBefore: new Date(time) });
  });

  it.each([
    [{ state: 'done' }, 'state', /state must be one or several of queued, .*finished; got "done"/],
    [{ state: 'failed,' }, 'state', /got ""/],
    [{ state: 'constructor' }, 'state', /got "constructor"/],
    [{ kind: 'job' }, 'kind', /kind must be one of model, batch, placement; got "job"/],
    [{ createdAfter: 'yesterday' }, 'createdAfter', /ISO 8601 .* 24h.*got "yesterday"/],
    [{ createdAfter: '2026-13-01' }, 'createdAfter', /got "2026-13-01"/],
    [{ createdAfter: '2026-02-31' }, 'createdAfter', /got "2026-02-31"/],
    [{ createdAfter: '2026-11-21T10:00:00' }, 'createdAfter', /with its zone/],
    [{ createdBefore: '1w' }, 'createdBefore', /got "1w"/],
    [{ createdBefore: '-5m' }, 'createdBefore', /got "-5m"/],
    [{ createdBefore: '1795257600' }, 'createdBefore', /got "1795257600"/],
  ])('refuses %j', (query, name, message) => {
    const faultOf = (): unknown => {
      try {
        return ask(query);
      } catch (error) {
        return isSchedulerError(error, 'invalid_input') ? error.details.faults : error;
      }
    };
    const msg = expect.stringMatching(message);
    expect(faultOf()).toEqual([{ loc: ['query', name], msg, type: expect.any(String) }]);
  });
});
