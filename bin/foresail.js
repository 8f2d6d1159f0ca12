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
/** Names the process that builds: a build begins by deleting what another one has made. */
const lock = path.join(root, '.building');
const LOOK_AGAIN_MS = 200;
/** No build takes so long: by then the process of that id is another one. */
const LONGEST_BUILD_MS = 600_000;

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

/** False when another process has the lock. The file comes into being with its content. */
function takeLock() {
  const own = `${lock}.${process.pid}`;
  fs.writeFileSync(own, String(process.pid));
  try {
    fs.linkSync(own, lock);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(own);
  }
}

/** Removes the lock of a build that was killed. */
function dropDeadLock() {
  try {
    const age = Date.now() - fs.statSync(lock).mtimeMs;
    if (age < LONGEST_BUILD_MS && isAlive(Number(fs.readFileSync(lock, 'utf8')))) return;
    fs.rmSync(lock, { force: true });
  } catch (error) {
    // It has been given back meanwhile.
    if (error.code !== 'ENOENT') throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

function buildAlone() {
  for (let toldSo = false; !takeLock(); toldSo = true) {
    if (!toldSo) process.stderr.write('Waiting for another build of Foresail...\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
    dropDeadLock();
  }
  try {
    if (isStale()) build();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

if (fs.existsSync(path.join(root, 'src')) && isStale()) buildAlone();
require(entry);
