// Makes the archives that a hospital installs from: one for each system, with everything in it but the system's own
// libraries. They are made under artifacts/dist, beside the build that ./mangrove uses, and from packages that are locked
// (packages.dist.lock.json beside each project: the same versions, with the parts for each system).
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { alone, artifacts, dotnet, fail, requireSdk, root } from './product.mjs';

const systems = ['linux-x64', 'win-x64'];
const usage = `./publish [SYSTEM...] [--update-locks]

  SYSTEM          ${systems.join(' or ')}; all of them when none is named
  --update-locks  write packages.dist.lock.json anew, after a change of packages
`;

const given = process.argv.slice(2);
if (given.includes('--help') || given.includes('-h')) {
  process.stderr.write(usage);
  process.exit(0);
}
const unknown = given.filter(one => one !== '--update-locks' && !systems.includes(one));
if (unknown.length > 0) fail(`${unknown[0]} is no system that archives are made for. ${usage}`, 2);
const asked = systems.filter(one => given.includes(one));
const locked = !given.includes('--update-locks');

const version = /<Version>([^<]+)<\/Version>/.exec(readFileSync(path.join(root, 'Directory.Build.props'), 'utf8'))[1];
const dist = path.join(artifacts, 'dist');
mkdirSync(dist, { recursive: true });
requireSdk();
await alone(async () => {
  for (const system of asked.length > 0 ? asked : systems) await publish(system);
});
const sums = readdirSync(dist).filter(name => name.startsWith(`mangrove-${version}-`) && /\.(tar\.gz|zip)$/.test(name)).sort()
  .map(name => `${createHash('sha256').update(readFileSync(path.join(dist, name))).digest('hex')}  ${name}\n`);
writeFileSync(path.join(dist, 'SHA256SUMS'), sums.join(''));
process.stdout.write(sums.join(''));

async function publish(system) {
  process.stderr.write(`Publishing for ${system} ...\n`);
  const name = `mangrove-${version}-${system}`;
  const folder = path.join(dist, 'unpacked', name);
  rmSync(folder, { recursive: true, force: true });
  const code = await dotnet([
    'publish', path.join('src', 'Cli', 'Cli.csproj'), '-c', 'Release', '-nologo', '-v', 'quiet', '-nodeReuse:false', '-r', system, '--self-contained', 'true', '-o', folder,
    '-p:Distribution=true', `-p:ArtifactsPath=${path.join(dist, 'work')}`, `-p:RestoreLockedMode=${locked}`, '-p:RunAnalyzers=false',
  ]);
  if (code !== 0) fail(`The archive for ${system} was not made.`);
  for (const left of readdirSync(folder).filter(file => /\.(xml|pdb|json|config)$/.test(file))) rmSync(path.join(folder, left), { recursive: true });
  cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  mkdirSync(path.join(folder, 'docs'));
  cpSync(path.join(root, 'docs', 'operations'), path.join(folder, 'docs'), { recursive: true });
  if (system.startsWith('win-')) {
    cpSync(path.join(root, 'build', 'install.ps1'), path.join(folder, 'install.ps1'));
    zip(path.join(dist, `${name}.zip`), path.dirname(folder), name);
  } else {
    pack(path.join(dist, `${name}.tar.gz`), path.dirname(folder), name);
  }
}

/** The same files make the same archive, whoever makes it and when. */
function pack(archive, parent, name) {
  const made = spawnSync('tar', ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w', '-C', parent, '-czf', archive, name], { stdio: ['ignore', 2, 2] });
  if (made.status !== 0) fail(`${archive} was not made: GNU tar is needed.`);
}

/** A plain zip: deflated files with a fixed date, in the order of their names. */
function zip(archive, parent, name) {
  const files = [];
  const walk = relative => {
    for (const entry of readdirSync(path.join(parent, relative)).sort()) {
      const inner = `${relative}/${entry}`;
      if (statSync(path.join(parent, inner)).isDirectory()) walk(inner);
      else files.push(inner);
    }
  };
  walk(name);
  const parts = [];
  const central = [];
  let offset = 0;
  for (const file of files) {
    const content = readFileSync(path.join(parent, file));
    const packed = deflateRawSync(content, { level: 9 });
    const title = Buffer.from(file, 'utf8');
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0); // version needed
    head.writeUInt16LE(0x0800, 2); // names are UTF-8
    head.writeUInt16LE(8, 4); // deflated
    head.writeUInt16LE(0, 6); // time
    head.writeUInt16LE(0x21, 8); // 1 January 1980
    head.writeUInt32LE(crc32(content), 10);
    head.writeUInt32LE(packed.length, 14);
    head.writeUInt32LE(content.length, 18);
    head.writeUInt16LE(title.length, 22);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), head, title, packed);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), head, tail, title);
    offset += 30 + title.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  writeFileSync(archive, Buffer.concat([...parts, directory, end]));
}

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return (sum ^ 0xffffffff) >>> 0;
}
