import { jobsRestartSuite } from '../support/jobs-restart-suite';

jobsRestartSuite({ jobs: 500, kills: 50, timeoutMs: 1_800_000 });
