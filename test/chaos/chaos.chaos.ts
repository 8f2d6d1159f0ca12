import { chaosSuite } from '../support/chaos-suite';

/** `npm run test:chaos`; `FORESAIL_CHAOS_ACTS` makes it longer or shorter. */
const acts = Number(process.env['FORESAIL_CHAOS_ACTS'] ?? 200);

chaosSuite({ acts, timeoutMs: 120_000 + acts * 20_000 });
