import { crashPointSuite } from '../support/crash-point-suite';

crashPointSuite({ rounds: 3 });
