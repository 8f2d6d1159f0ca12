'use strict';

const { projects } = require('../../jest.config.js');

const e2e = projects.find(({ displayName }) => displayName === 'e2e');

/** The long runs, which `npm test` leaves out: see CONTRIBUTING.md, "Tests". */
/** @type {import('jest').Config} */
module.exports = {
  ...e2e,
  displayName: 'chaos',
  testMatch: ['<rootDir>/test/chaos/**/*.chaos.ts'],
  maxWorkers: 1,
};
