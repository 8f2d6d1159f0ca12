import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * Who may import whom (docs/architecture.md, "The folders"). Each folder names the folders it may reach;
 * every other folder of `src` is refused. `core`, `config` and `ops` are open to all but `core`.
 */
const ARROWS = {
  core: [],
  config: ['core'],
  ops: ['core', 'config', 'http'],
  persistence: ['core', 'config', 'ops'],
  http: ['core', 'config', 'ops'],
  strategies: ['core', 'config', 'ops', 'persistence', 'http'],
  predictions: ['core', 'config', 'ops', 'persistence', 'http', 'outgoing'],
  instances: ['core', 'config', 'ops', 'persistence', 'http', 'executors', 'strategies'],
  tasks: ['core', 'config', 'ops', 'persistence', 'http', 'strategies', 'predictions'],
  executors: ['core', 'config', 'ops', 'http', 'outgoing'],
  outgoing: ['core', 'config', 'ops'],
  alerts: ['core', 'config', 'ops', 'persistence', 'http', 'outgoing'],
  placements: ['core', 'config', 'ops', 'persistence', 'http', 'tasks'],
  queues: ['core', 'config', 'ops', 'persistence', 'http', 'tasks', 'strategies', 'executors'],
  health: ['core', 'config', 'ops', 'persistence', 'http', 'instances', 'tasks', 'executors'],
  dialects: [
    'core',
    'config',
    'ops',
    'http',
    'instances',
    'placements',
    'queues',
    'tasks',
    'strategies',
    'predictions',
    'persistence',
  ],
  worker: ['core', 'config', 'ops', 'http', 'outgoing'],
  agent: ['core', 'config', 'ops', 'outgoing'],
  simulation: ['core', 'config', 'ops', 'strategies', 'predictions'],
};

const folders = [...Object.keys(ARROWS), 'cli'];
const TYPEORM = {
  group: ['typeorm', '@nestjs/typeorm', 'typeorm/*', 'pg'],
  message: 'only persistence knows the database',
};
const DEEP = {
  group: ['@nestjs/*/*', '!@nestjs/common/interfaces'],
  message: 'no deep imports from packages',
};

/** One config block per folder: refuses the folders that it may not reach. */
const arrows = Object.entries(ARROWS).map(([folder, allowed]) => {
  const refused = folders.filter((other) => other !== folder && !allowed.includes(other));
  const group = refused.flatMap((other) => [`**/../${other}/*`, `**/../${other}/**`]);
  const patterns = [
    DEEP,
    {
      group: [...group, '**/app.module', '**/main'],
      message: `an arrow that ${folder} may not have`,
    },
  ];
  if (folder !== 'persistence') patterns.push(TYPEORM);
  return {
    files: [`src/${folder}/**/*.ts`],
    ignores: ['**/*.spec.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
});

const core = {
  files: ['src/core/**/*.ts', 'src/**/*.strategy.ts', 'src/**/*.predictor.ts'],
  ignores: ['**/*.spec.ts'],
  rules: {
    'no-restricted-syntax': [
      'error',
      { selector: ':function[async=true]', message: 'the core is synchronous' },
      { selector: 'AwaitExpression', message: 'the core is synchronous' },
      {
        selector: 'MemberExpression[object.name="Date"][property.name="now"]',
        message: 'time comes from a Clock',
      },
      { selector: 'NewExpression[callee.name="Date"]', message: 'time comes from a Clock' },
      {
        selector: 'MemberExpression[object.name="Math"][property.name="random"]',
        message: 'chance comes from a Random',
      },
      {
        selector: 'MemberExpression[object.name="performance"]',
        message: 'time comes from a Clock',
      },
    ],
  },
};

/** The core stands alone: nothing but itself and the heap. */
const coreAlone = {
  files: ['src/core/**/*.ts'],
  ignores: ['**/*.spec.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { regex: '^(?!\\./|heap-js$)', message: 'core imports nothing but itself and heap-js' },
        ],
      },
    ],
  },
};

/** Strategies and predictors are pure: they see the core, and their own folder. */
const pureFiles = {
  files: ['src/**/*.strategy.ts', 'src/**/*.predictor.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: '^(?!\\./|(\\.\\./)+core/)',
            message: 'a strategy or predictor imports core only',
          },
        ],
      },
    ],
  },
};

export default tseslint.config(
  { ignores: ['dist/**', 'examples/*/dist/**', 'node_modules/**', 'coverage/**', '.data/**'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/prefer-nullish-coalescing': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'settings are read in src/config only' },
      ],
      'no-console': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: [
      'src/config/**/*.ts',
      'test/**/*.ts',
      'bench/**/*.ts',
      'examples/**/*.ts',
      'src/**/*.spec.ts',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['src/cli/**/*.ts', 'src/main.ts', 'test/support/**/*.ts', 'examples/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  ...arrows,
  core,
  coreAlone,
  pureFiles,
  {
    files: ['test/**/*.ts', '**/*.spec.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  // A program of its own, which sees the built package: the test that runs it compiles it.
  {
    files: ['examples/**/*.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        require: 'readonly',
        module: 'readonly',
        process: 'readonly',
        __dirname: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        fetch: 'readonly',
      },
    },
  },
);
