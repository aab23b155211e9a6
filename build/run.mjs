// Prepares the hospital's data folder when there is none yet, then prints the arguments of `mangrove serve`, one a line;
// the script ./run puts the server in its own place with them. With --and-serve (Windows) the server runs from here.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { ensureBuilt, executable, fail, root } from './product.mjs';

const usage = `./run [--demo] [--facility NAME] [--data DIR] [options of init, demo and serve]

  --demo           a sample hospital: generated patients and one account for each role
  --facility NAME  the name of your own hospital, needed the first time
  --data DIR       the hospital's data folder (default: data/ beside this script)

At the first start the folder is made; later the hospital that is in it is started.
  --protector KIND, --module FILE, --pin-file FILE, --passphrase-file FILE, --accept-same-volume   for init: how the root key is kept
  --patients N, --seed S   for the demo
  everything else          goes to serve, such as --urls https://HOST:PORT
`;

const given = process.argv.slice(2);
let demo = false;
let serveHere = false;
let data = path.join(root, 'data');
const init = [];
const sample = [];
const serve = [];
for (let i = 0; i < given.length; i++) {
  const [name, inline] = given[i].startsWith('--') && given[i].includes('=')
    ? [given[i].slice(0, given[i].indexOf('=')), given[i].slice(given[i].indexOf('=') + 1)]
    : [given[i], undefined];
  const value = () => inline ?? given[++i] ?? fail(`${name} needs a value. ${usage}`, 2);
  switch (name) {
    case '--help': case '-h': process.stderr.write(usage); process.exit(0); break;
    case '--demo': demo = true; break;
    case '--and-serve': serveHere = true; break;
    case '--data': data = path.resolve(value()); break;
    case '--facility': case '--protector': init.push(name, value()); break;
    case '--module': init.push(name, path.resolve(value())); break;
    case '--accept-same-volume': init.push(name); break;
    case '--patients': case '--seed': sample.push(name, value()); break;
    case '--pin-file': { const file = path.resolve(value()); init.push(name, file); serve.push(name, file); break; }
    case '--passphrase-file': { const file = path.resolve(value()); init.push(name, file); serve.push(name, file); break; }
    default: serve.push(given[i]);
  }
}

await ensureBuilt({ ahead: !demo });
const empty = !existsSync(data) || readdirSync(data).length === 0;
if (empty && !demo && !init.includes('--facility')) {
  fail(`There is no hospital in ${data} yet. Start a sample one with ./run --demo, or your own with ./run --facility "NAME".`, 2);
}
if (empty) {
  const made = spawnSync(executable, demo ? ['demo', '--data', data, ...sample] : ['init', '--data', data, ...init], { stdio: ['inherit', 2, 2] });
  if (made.status !== 0) process.exit(made.status ?? 1);
}
const accounts = path.join(data, 'demo-accounts.json');
if (existsSync(accounts)) process.stderr.write(`Accounts of the sample hospital, one for each role: ${accounts}\n`);

const all = ['serve', '--data', data, ...serve];
if (serveHere) {
  process.exit(spawnSync(executable, all, { stdio: 'inherit' }).status ?? 1);
}
process.stdout.write(`${all.join('\n')}\n`);
