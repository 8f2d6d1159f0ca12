import * as fc from 'fast-check';
import { JobDrive } from '../../test/support/job-drive';
import { jobSteps, type JobStep } from '../../test/support/job-steps';

const SEQUENCES = 3_000;
const BEGINNING: readonly JobStep[] = [
  { kind: 'join', cores: 4, labels: 1 },
  { kind: 'join', cores: 8, labels: 2 },
];

describe('hosts and jobs', () => {
  it('keep every promise after every step of any sequence, and no job starves', () => {
    const sequences = fc.array(jobSteps, { minLength: 10, maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(sequences, (sequence) => {
        const drive = new JobDrive();
        for (const step of [...BEGINNING, ...sequence]) drive.run(step);
        drive.expectAllStart();
      }),
      { numRuns: SEQUENCES },
    );
  });
});
