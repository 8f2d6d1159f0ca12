'use strict';

// For `node --require`: writes what was loaded to the file LOADED_MODULES when the process exits.
const { writeFileSync } = require('node:fs');

process.on('exit', () => {
  writeFileSync(process.env.LOADED_MODULES, Object.keys(require.cache).join('\n'));
});
