// The whole suite: machine, one build, every test project, one plain last line: N passed, N failed[, N skipped].
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { browser, postgresFolder, provide } from './machine.mjs';
import { alone, artifacts, buildOptions, canPrecompile, dotnet, fail, fingerprint, markBuilt, requireSdk, root, windows } from './product.mjs';

const usage = `./test [--full] [--timeout MINUTES] [filter ...]

  filter      a test project (Sealing, Vault ...) or a part of a test's full name; several are alternatives
  --full      the long campaigns at full length (MANGROVE_FULL=1 for the tests)
  --timeout   minutes that one project may take (default 30, with --full 90)
`;

// What the projects stand on beside the SDK, and which of them wants the machine for itself: a browser that shares two
// cores with cryptography misses its own time limits.
const needs = {
  Acceptance: { browser: true, postgres: true, alone: true },
  // Its tests wait for processes and disks half of their time, and it runs longer than all others together.
  Cli: { hardware: true, strace: true, threads: 3 },
  Clinic: { postgres: true },
  Governance: { postgres: true },
  Portability: { postgres: true },
  Vault: { postgres: true, hardware: true },
};
const lanes = Math.max(1, Math.min(2, os.availableParallelism()));
const results = path.join(artifacts, 'test-results');

let full = false;
let minutes = 0;
const filters = [];
for (let args = process.argv.slice(2), i = 0; i < args.length; i++) {
  if (args[i] === '--help' || args[i] === '-h') { process.stdout.write(usage); process.exit(0); }
  else if (args[i] === '--full') full = true;
  else if (args[i] === '--timeout') minutes = Number(args[++i]);
  else if (args[i].startsWith('-')) fail(`Unknown option ${args[i]}.\n${usage}`, 2);
  else filters.push(args[i]);
}
minutes ||= full ? 90 : 30;
if (!(minutes > 0)) fail(usage, 2);

const every = readdirSync(path.join(root, 'tests'), { withFileTypes: true })
  .filter(entry => entry.isDirectory() && existsSync(path.join(root, 'tests', entry.name, `${entry.name}.Tests.csproj`)))
  .map(entry => entry.name);
const named = every.filter(name => filters.some(filter => filter.toLowerCase() === name.toLowerCase()));
const parts = filters.filter(filter => !every.some(name => name.toLowerCase() === filter.toLowerCase()));
const chosen = named.length > 0 ? named : every;

const missing = provide({
  needBrowser: chosen.some(name => needs[name]?.browser),
  needPostgres: chosen.some(name => needs[name]?.postgres),
  needHardware: chosen.some(name => needs[name]?.hardware),
  needStrace: chosen.some(name => needs[name]?.strace),
});
if (missing.length > 0) {
  const free = every.filter(name => !needs[name]);
  fail(`These tests need ${missing.join(' and ')}, which could not be installed here (only apt-get with root or sudo is tried).\n`
    + `Install it and try again, or run the projects that need nothing: ./test ${free.join(' ')}`, 2);
}

requireSdk();
await alone(async () => {
  const current = fingerprint();
  process.stderr.write('Building ...\n');
  const begun = performance.now();
  const ahead = await canPrecompile();
  if (!ahead) process.stderr.write('The compiler of machine code is not to be had: the tests go on without it.\n');
  if (await dotnet(['build', 'Mangrove.slnx', ...buildOptions, ...(ahead ? ['-p:Precompile=true'] : [])]) !== 0) fail('The build failed; its messages are above.', 1);
  markBuilt(current, ahead);
  process.stderr.write(`Built in ${seconds(performance.now() - begun)}.\n`);
});

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of running) stop(child);
    process.exit(130);
  });
}

const outcomes = [];
const together = chosen.filter(name => !needs[name]?.alone);
await Promise.all(Array.from({ length: lanes }, async () => {
  while (together.length > 0) outcomes.push(await runProject(together.shift()));
}));
for (const name of chosen.filter(project => needs[project]?.alone)) outcomes.push(await runProject(name));

report();

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function stop(child) {
  try {
    // The whole group: a hung test may have started a browser or a database.
    if (windows) child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Runs one project to its end or its limit. The runner's messages come as one JSON object a line, so that a crash or a hang still leaves the names. */
function runProject(name) {
  const program = path.join(artifacts, 'bin', `${name}.Tests`, 'release', `Mangrove.Tests.${name}${windows ? '.exe' : ''}`);
  const outcome = { name, passed: 0, failures: [], skipped: [], trouble: null, time: 0 };
  if (!existsSync(program)) {
    outcome.trouble = `${path.relative(root, program)} was not built. Is the project in Mangrove.slnx?`;
    return line(outcome);
  }

  const args = ['-reporter', 'json', '-noColor', '-noAutoReporters', '-xml', path.join(results, `${name}.xml`)];
  if (needs[name]?.threads) args.push('-maxThreads', String(needs[name].threads));
  for (const part of parts) args.push('-method', `*${part}*`);
  const environment = { ...process.env };
  if (full) {
    environment.MANGROVE_FULL = '1';
    args.push('-explicit', 'on');
  }
  if (browser()) environment.MANGROVE_BROWSER = browser();
  if (postgresFolder()) environment.MANGROVE_POSTGRES = postgresFolder();

  return new Promise(resolve => {
    const begun = performance.now();
    const child = spawn(program, args, { cwd: root, env: environment, detached: !windows, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    const log = createWriteStream(path.join(results, `${name}.log`));
    const names = new Map();
    const started = new Map();
    const tail = [];
    let finished = false;
    let hung = false;

    const keep = text => {
      log.write(`${text}\n`);
      tail.push(text);
      if (tail.length > 40) tail.shift();
    };
    const failed = (title, message) => outcome.failures.push({
      title,
      text: (message.Messages ?? []).map((said, i) => `${message.ExceptionTypes?.[i] ?? ''}: ${said}\n${message.StackTraces?.[i] ?? ''}`).join('\n'),
    });
    const take = text => {
      if (!text.startsWith('{"$type":')) { keep(text); return; }
      let message;
      try { message = JSON.parse(text); } catch { keep(text); return; }
      const id = message.TestUniqueID;
      switch (message.$type) {
        case 'test-starting': names.set(id, message.TestDisplayName); started.set(id, performance.now()); break;
        case 'test-finished': started.delete(id); break;
        case 'test-passed': outcome.passed++; break;
        case 'test-failed': failed(names.get(id), message); break;
        case 'test-skipped': outcome.skipped.push(`${names.get(id)}: ${message.Reason}`); break;
        case 'test-assembly-finished': finished = true; break;
        default:
          if (message.$type === 'error' || message.$type.endsWith('-cleanup-failure')) failed(`${name}: ${message.$type}`, message);
          else if (message.$type === 'test-output') keep(message.Output ?? '');
          else if (message.$type === 'diagnostic' || message.$type === 'internal-diagnostic') keep(message.Message ?? '');
      }
    };
    readline.createInterface({ input: child.stdout }).on('line', take);
    readline.createInterface({ input: child.stderr }).on('line', keep);

    const limit = setTimeout(() => { hung = true; stop(child); }, minutes * 60_000);
    child.on('error', error => { outcome.trouble = `could not be started: ${error.message}`; });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      running.delete(child);
      if (!windows && child.pid) stop(child);
      log.end();
      outcome.time = performance.now() - begun;
      const open = [...started].map(([id, at]) => `  ${names.get(id)} (running for ${seconds(performance.now() - at)})`);
      if (hung) outcome.trouble = `did not end within ${minutes} minutes and was stopped. Tests that had not ended:\n${open.join('\n') || '  none'}`;
      else if (!outcome.trouble && (!finished || (code !== 0 && outcome.failures.length === 0))) {
        outcome.trouble = `ended with ${signal ?? `exit code ${code}`} outside any test.${open.length ? ` Tests that had not ended:\n${open.join('\n')}` : ''}`;
      }
      if (outcome.trouble && tail.length > 0) outcome.trouble += `\nIts last words:\n  ${tail.join('\n  ')}`;
      resolve(line(outcome));
    });
  });
}

function line(outcome) {
  const skipped = outcome.skipped.length ? `, ${outcome.skipped.length} skipped` : '';
  const trouble = outcome.trouble ? ', DID NOT COMPLETE' : '';
  process.stdout.write(`${outcome.name.padEnd(14)} ${outcome.passed} passed, ${outcome.failures.length} failed${skipped}${trouble} (${seconds(outcome.time)})\n`);
  return outcome;
}

function report() {
  for (const { name, failures, trouble } of outcomes) {
    for (const failure of failures) process.stdout.write(`\nFAILED ${failure.title}\n${failure.text}\n`);
    if (trouble) process.stdout.write(`\nFAILED ${name}: the test project ${trouble}\n`);
  }
  const skipped = outcomes.flatMap(outcome => outcome.skipped);
  if (skipped.length > 0) process.stdout.write(`\nSkipped:\n${skipped.map(text => `  ${text}`).join('\n')}\n`);

  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  // A project that did not complete counts as a failure, so that the last line never looks better than the run.
  const failures = outcomes.reduce((sum, outcome) => sum + outcome.failures.length + (outcome.trouble ? 1 : 0), 0);
  if (passed + failures === 0) process.stdout.write(`\nNo test ran.${filters.length ? ' Does the filter match a project or a test name?' : ''}\n`);
  process.stdout.write(`\n${passed} passed, ${failures} failed${skipped.length ? `, ${skipped.length} skipped` : ''}\n`);
  process.exitCode = failures === 0 && passed > 0 ? 0 : 1;
}
