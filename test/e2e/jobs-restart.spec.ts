import { jobsRestartSuite } from '../support/jobs-restart-suite';

jobsRestartSuite({ jobs: 60, kills: 5, timeoutMs: 240_000 });
