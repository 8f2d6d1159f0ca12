'use strict';

/** Writes the table of settings into docs/operating.md, from the schema of the built service. */
const fs = require('node:fs');
const path = require('node:path');
const { settingsTable } = require('../dist/config/settings-docs.js');

const file = path.join(__dirname, '..', 'docs', 'operating.md');
const text = fs.readFileSync(file, 'utf8');
const [before, rest] = text.split('<!-- settings -->\n');
const after = rest.slice(rest.indexOf('<!-- /settings -->'));
fs.writeFileSync(file, `${before}<!-- settings -->\n\n${settingsTable().trim()}\n\n${after}`);
