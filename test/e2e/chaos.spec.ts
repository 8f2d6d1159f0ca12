import { chaosSuite } from '../support/chaos-suite';

chaosSuite({ acts: 20, timeoutMs: 240_000 });
