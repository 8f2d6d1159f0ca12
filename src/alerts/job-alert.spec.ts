import { taskId } from '../core/units';
import type { AlertingEnd } from '../persistence/alerts.repository';
import { jobNews } from './job-alert';

const ID = taskId('01900000-0000-7000-8000-000000000001');
const END: AlertingEnd = {
  eventId: 7,
  state: 'failed',
  at: '2026-11-21T22:00:00.000Z',
  taskId: ID,
  message: 'exit code 2',
  failureKind: 'exit',
  host: 'h3',
  attempt: 2,
  retries: 1,
  metadata: '{"project":"chip","design":"top","owner":"ana"}',
  result: '{"exit_code": 2}',
};

describe('jobNews', () => {
  it('tells who, what, where and why of a job that failed', () => {
    expect(jobNews(END)).toEqual({
      kind: 'job_failed',
      eventId: 7,
      subject: ID,
      message: `job ${ID} of ana failed on h3: exit code 2`,
      details: {
        job_id: ID,
        status: 'FAILED',
        ended_at: '2026-11-21T22:00:00.000Z',
        owner: 'ana',
        project: 'chip',
        design: 'top',
        host_id: 'h3',
        failure: 'exit',
        attempt: 2,
        retries: 1,
        exit_code: 2,
      },
    });
  });

  it.each([null, '', 'no JSON', '[]', 'null', '{"owner": 7}'])(
    'does without what it cannot read in %j',
    (text) => {
      const news = jobNews({
        ...END,
        state: 'timed_out',
        failureKind: null,
        host: null,
        metadata: text,
        result: text,
      });
      expect(news).toMatchObject({
        kind: 'job_timed_out',
        message: `job ${ID} of unknown was timed out: exit code 2`,
        details: { owner: null, project: null, exit_code: null, host_id: null, status: 'TIMEOUT' },
      });
    },
  );
});
