import { crashPointSuite } from '../support/crash-point-suite';

/** `npm run test:crash`; `FORESAIL_CRASH_ROUNDS` makes it longer or shorter. */
crashPointSuite({ rounds: Number(process.env['FORESAIL_CRASH_ROUNDS'] ?? 20) });
