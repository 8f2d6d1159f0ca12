import * as fc from 'fast-check';
import { FleetDrive } from '../../test/support/fleet-drive';
import { beginnings, steps } from '../../test/support/fleet-steps';

/** RELIABILITY_MODEL, section 11: the bar for the model-based level. */
const SEQUENCES = 10_000;

describe('Fleet', () => {
  it('keeps its promises after every step of any sequence', () => {
    const sequences = fc.array(steps, { minLength: 10, maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(beginnings, sequences, (beginning, sequence) => {
        const drive = new FleetDrive();
        for (const step of [...beginning, ...sequence]) drive.run(step);
      }),
      { numRuns: SEQUENCES },
    );
  });
});
