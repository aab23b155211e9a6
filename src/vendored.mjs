// What the scripts share that bring files of others into an assembly at build time (Web/assets.mjs, Vault/passwords.mjs).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function take(lock) {
  const patience = Date.now() + 10 * 60_000;
  for (;;) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let owner = NaN;
    try {
      owner = Number.parseInt(fs.readFileSync(lock, 'utf8'), 10);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      continue;
    }
    // A build that was killed leaves its lock behind; nobody else will take it away.
    if (Number.isInteger(owner) && !alive(owner)) {
      fs.rmSync(lock, { force: true });
      continue;
    }
    if (Date.now() > patience) throw new Error(`Another build holds ${lock} for ten minutes. Stop it, or delete that file.`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

/** Does the work while no other build does it; the file is the lock. */
export function alone(lock, work) {
  take(lock);
  try {
    work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

/** Fetches what a folder's lock file names, once for each state of that file. */
export function install(home) {
  const wanted = createHash('sha256').update(fs.readFileSync(path.join(home, 'package-lock.json'))).digest('hex');
  const mark = path.join(home, 'node_modules', '.mangrove');
  if (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === wanted) return;
  execFileSync('npm', ['ci', '--loglevel=error'], { cwd: home, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
  fs.writeFileSync(mark, wanted);
}
