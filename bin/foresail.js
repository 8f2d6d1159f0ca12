#!/usr/bin/env node
'use strict';

/**
 * Starts Foresail from a clone: builds what is missing or older than its source, then runs the
 * command. An installed package has no source and is run as it is.
 */
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const entry = path.join(root, 'dist', 'main.js');
const stamp = path.join(root, 'dist', '.built');

function newest(folder) {
  let latest = 0;
  for (const item of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!item.isFile() || item.name.endsWith('.spec.ts')) continue;
    latest = Math.max(latest, fs.statSync(path.join(item.parentPath, item.name)).mtimeMs);
  }
  return latest;
}

function isStale() {
  if (!fs.existsSync(entry) || !fs.existsSync(stamp)) return true;
  const built = fs.statSync(stamp).mtimeMs;
  const sources = [path.join(root, 'src'), path.join(root, 'migrations')];
  return sources.some((folder) => newest(folder) > built);
}

function build() {
  process.stderr.write('Building Foresail (once)...\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execFileSync(npm, ['run', '--silent', 'build'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
}

if (fs.existsSync(path.join(root, 'src')) && isStale()) build();
require(entry);
