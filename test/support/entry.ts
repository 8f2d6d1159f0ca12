import { join, resolve } from 'node:path';

/** The build that tests start; `FORESAIL_TEST_DIST` names another one. */
export const ENTRY = join(
  process.env['FORESAIL_TEST_DIST'] ?? resolve(__dirname, '../../dist'),
  'main.js',
);
