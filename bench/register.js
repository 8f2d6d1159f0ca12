'use strict';

/** Lets `node -r ./bench/register.js file.ts` run TypeScript, by the same compiler as the tests. */
const { transformFileSync } = require('@swc/core');
require('reflect-metadata');

require.extensions['.ts'] = (module, file) => {
  const { code } = transformFileSync(file, {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'commonjs' },
  });
  module._compile(code, file);
};
