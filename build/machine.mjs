// Puts the machine's part of the test suite in place: a browser, PostgreSQL, a TPM and a token in software, the tracer that fails a
// disk's calls, and fonts for the scripts in the pictures.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const has = command => spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;

/** The folder that holds initdb, or null. Debian keeps it away from the path. */
export function postgresFolder() {
  const versions = '/usr/lib/postgresql';
  const folders = existsSync(versions)
    ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)).map(v => path.join(versions, v, 'bin'))
    : [];
  folders.push(...(process.env.PATH ?? '').split(path.delimiter));
  return folders.find(folder => existsSync(path.join(folder, process.platform === 'win32' ? 'initdb.exe' : 'initdb'))) ?? null;
}

export function browser() {
  const places = [process.env.MANGROVE_BROWSER, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/snap/bin/chromium',
    '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe', 'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe'];
  return places.find(place => place && existsSync(place)) ?? null;
}

/** Whether a TPM and a token can be simulated here, with the tools that speak to them. Linux alone has them. */
function hardware() {
  return ['swtpm', 'tpm2_unseal', 'softhsm2-util', 'pkcs11-tool'].every(has);
}

function hasFont(language) {
  const list = spawnSync('fc-list', [`:lang=${language}`], { encoding: 'utf8' });
  return !list.error && list.stdout.trim() !== '';
}

/** Installs what the chosen projects need and this machine lacks. Returns what is still missing, in words. */
export function provide({ needBrowser, needPostgres, needHardware, needStrace }) {
  const lacking = () => {
    const packages = [];
    if (needBrowser && !browser()) packages.push('chromium');
    if (needBrowser && process.platform === 'linux' && !hasFont('ar')) packages.push('fonts-noto-core');
    if (needBrowser && process.platform === 'linux' && !hasFont('zh')) packages.push('fonts-droid-fallback');
    if (needPostgres && !postgresFolder()) packages.push('postgresql');
    if (needHardware && process.platform === 'linux' && !hardware()) packages.push('swtpm', 'tpm2-tools', 'softhsm2', 'opensc');
    if (needStrace && process.platform === 'linux' && !has('strace')) packages.push('strace');
    return packages;
  };
  const packages = lacking();
  if (packages.length === 0) return [];
  if (!has('apt-get')) return packages;
  const root = process.getuid?.() === 0;
  if (!root && !has('sudo')) return packages;
  process.stderr.write(`Installing ${packages.join(', ')} ...\n`);
  const apt = args => {
    const common = ['-qq', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=300', ...args];
    const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...common];
    if (!root) command.unshift('sudo');
    const run = spawnSync(command[0], command.slice(1), { stdio: ['inherit', 'pipe', 'pipe'], encoding: 'utf8' });
    if (run.status !== 0) process.stderr.write(`${run.stdout ?? ''}${run.stderr ?? ''}`);
    return run.status === 0;
  };
  apt(['update']);
  apt(['install', '-y', '--no-install-recommends', ...packages, ...(packages.includes('chromium') ? ['fontconfig'] : [])]);
  // The list of fonts is cached by the second, and an installation can be quicker than that.
  spawnSync('fc-cache', ['-f'], { stdio: 'ignore' });
  return lacking();
}
