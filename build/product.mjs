// Builds the executable `mangrove` when a source has changed since the last build, once even when several callers ask
// at the same time. Messages go to standard error only: standard output belongs to the verb that runs afterwards.
import { createHash } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const windows = process.platform === 'win32';
export const artifacts = path.join(root, 'artifacts');
export const executable = path.join(artifacts, 'bin', 'Cli', 'release', windows ? 'mangrove.exe' : 'mangrove');

// ./test builds with the analyzers, ./run and ./mangrove without them, which takes half the time. What ./test has built
// they take as it is, but for the machine code (src/Cli/Precompile.targets), which only the product gets.
export const buildOptions = ['-c', 'Release', '-nologo', '-v', 'quiet', '-nodeReuse:false', '-p:RestoreLockedMode=true'];

const stamp = path.join(artifacts, 'mangrove.stamp');
const builtFolders = new Set(['node_modules', 'bin', 'obj', path.join('src', 'Web', 'wwwroot', 'lib')]);

/** One line for all that a build of src/ reads: every file's path, size and time of change. */
export function fingerprint() {
  const hash = createHash('sha256');
  const add = relative => {
    const { size, mtimeMs } = statSync(path.join(root, relative));
    hash.update(`${relative}\0${size}\0${mtimeMs}\n`);
  };
  for (const name of readdirSync(root).sort()) {
    if (/^(Directory\..*|global\.json|\.editorconfig|BannedSymbols\.txt|nuget\.config)$/i.test(name)) add(name);
  }
  const walk = folder => {
    const entries = readdirSync(path.join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const relative = path.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!builtFolders.has(entry.name) && !builtFolders.has(relative)) walk(relative);
      } else if (entry.isFile()) {
        add(relative);
      }
    }
  };
  walk('src');
  return hash.digest('hex');
}

const checked = current => `${current} built`;
const ready = current => `${current} ready`;
const stamped = () => (existsSync(executable) && existsSync(stamp) ? readFileSync(stamp, 'utf8') : '');

/** Keeps in mind that ./test has built this state of the sources, and whether with machine code. */
export function markBuilt(current, ahead) {
  mkdirSync(artifacts, { recursive: true });
  writeFileSync(stamp, ahead ? ready(current) : checked(current));
}

/** Whether the compiler of machine code can be had for this machine. Without it the program is slower at first and otherwise the same. */
export async function canPrecompile() {
  return await dotnet(['restore', path.join('src', 'Cli', 'Cli.csproj'), '-v', 'quiet', '-p:RestoreLockedMode=true', '-p:Precompile=true']) === 0;
}

/** Says what is missing on this machine; a build without it would fail with a riddle. */
export function requireSdk() {
  const sdk = spawnSync('dotnet', ['--version'], { cwd: root, encoding: 'utf8' });
  if (sdk.error || sdk.status !== 0 || !sdk.stdout.startsWith('10.')) {
    fail(`Mangrove is built with the .NET 10 SDK, which was not found${sdk.stdout ? ` (found ${sdk.stdout.trim()})` : ''}.\n`
      + 'Install it (Debian and Ubuntu: apt install dotnet-sdk-10.0 from the vendor\'s feed; Windows: winget install Microsoft.DotNet.SDK.10) and try again.');
  }
}

export function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

/** Runs dotnet with its words on standard error; the exit code is the answer. */
export function dotnet(args) {
  return new Promise(resolve => {
    const child = spawn('dotnet', args, {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1', MSBUILDDISABLENODEREUSE: '1' },
    });
    child.on('error', () => resolve(127));
    child.on('close', code => resolve(code ?? 1));
  });
}

/**
 * Runs the work while no other caller of this folder does. The lock is a local socket: the system takes it away
 * with the process that holds it, so a killed build leaves nothing behind that would have to be cleaned up.
 */
export async function alone(work) {
  const name = `mangrove-build-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`;
  const address = windows ? `\\\\.\\pipe\\${name}` : process.platform === 'linux' ? `\0${name}` : path.join(os.tmpdir(), `${name}.sock`);
  const server = net.createServer(socket => socket.on('error', () => socket.destroy()));
  const waiters = new Set();
  server.on('connection', socket => {
    waiters.add(socket);
    socket.on('close', () => waiters.delete(socket));
  });
  while (!(await listens(server, address))) await released(address);
  try {
    return await work();
  } finally {
    for (const socket of waiters) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  }
}

function listens(server, address) {
  return new Promise((resolve, reject) => {
    const onError = error => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error));
    server.once('error', onError);
    server.listen(address, () => {
      server.off('error', onError);
      resolve(true);
    });
  });
}

function released(address) {
  return new Promise(resolve => {
    const socket = net.connect(address);
    socket.on('error', () => setTimeout(resolve, 100));
    socket.on('close', () => setTimeout(resolve, 20));
    socket.resume();
  });
}

/**
 * Builds what is missing. Machine code is made with a fresh build, but not for a look at the sample hospital, which must
 * stand soon, and never added for a verb alone: a server may be running from the same files. Only ./bench insists on it.
 */
export async function ensureBuilt({ ahead = true, insist = false } = {}) {
  const good = current => stamped() === ready(current) || (!insist && stamped() === checked(current));
  if (good(fingerprint())) return;
  await alone(async () => {
    const current = fingerprint();
    if (good(current)) return;
    requireSdk();
    process.stderr.write('Building Mangrove ...\n');
    const options = [...buildOptions, '-p:RunAnalyzers=false', ...(ahead ? ['-p:Precompile=true'] : [])];
    const code = await dotnet(['build', path.join('src', 'Cli', 'Cli.csproj'), ...options]);
    if (code !== 0) fail('The build failed; its messages are above.', 1);
    markBuilt(current, ahead);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await ensureBuilt({ insist: process.argv[2] === 'bench' });
