// Fills wwwroot/lib with every file that the browser may ask for: htmx, Tabler, the fonts, our own style sheet and
// modules, the icon sprite and the licences, each with its Brotli and gzip form. Web.csproj embeds that folder.
// Several builds may run at once, so one lock covers the whole script and each file is replaced in one rename.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { alone, install } from '../vendored.mjs';

const home = path.dirname(fileURLToPath(import.meta.url));
const at = (...parts) => path.join(home, ...parts);
const lib = at('wwwroot', 'lib');

const written = new Set();

function write(name, content) {
  const bytes = Buffer.from(content);
  const forms = [[name, bytes]];
  if (!name.endsWith('.woff2')) {
    const quality = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    const file = path.join(lib, name);
    // Brotli at its best takes a second for Tabler: only when the file changed.
    const same = ['', '.br', '.gz'].every(end => fs.existsSync(file + end)) && fs.readFileSync(file).equals(bytes);
    if (same) {
      for (const end of ['', '.br', '.gz']) written.add(name + end);
      return;
    }
    forms.push([`${name}.br`, zlib.brotliCompressSync(bytes, { params: quality })]);
    forms.push([`${name}.gz`, zlib.gzipSync(bytes, { level: 9 })]);
  }
  // The plain file last: it is the mark that its other forms are there.
  for (const [form, body] of forms.reverse()) {
    written.add(form);
    const file = path.join(lib, form);
    if (fs.existsSync(file) && fs.readFileSync(file).equals(body)) continue;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(`${file}.${process.pid}.new`, body);
    fs.renameSync(`${file}.${process.pid}.new`, file);
  }
}

function* filesBelow(folder, ends) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (['node_modules', 'wwwroot', 'bin', 'obj'].includes(entry.name)) continue;
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(file, ends);
    else if (ends.some(end => entry.name.endsWith(end))) yield file;
  }
}

// An icon is named by a plain string somewhere in a page, a component or a list such as Stations. Every string that
// is an icon's name is taken, so a name chosen at run time works too; a Name or Icon that no icon has stops the build.
function sprite() {
  const outline = at('node_modules', '@tabler', 'icons', 'icons', 'outline');
  const known = new Set(fs.readdirSync(outline).filter(f => f.endsWith('.svg')).map(f => f.slice(0, -4)));
  const used = new Set();
  const unknown = [];
  for (const file of filesBelow(home, ['.razor', '.cs'])) {
    const text = fs.readFileSync(file, 'utf8');
    for (const [, name] of text.matchAll(/"([a-z][a-z0-9]*(?:-[a-z0-9]+)*)"/g)) if (known.has(name)) used.add(name);
    for (const [, name] of text.matchAll(/(?:<Icon\s+Name=|\sIcon=|Icon\.Of\()"([^"@]+)"/g)) if (!known.has(name)) unknown.push(`${path.relative(home, file)}: ${name}`);
  }
  if (unknown.length > 0) throw new Error(`No such Tabler icon:\n  ${unknown.join('\n  ')}`);
  const symbols = [...used].sort().map(name => {
    const svg = fs.readFileSync(path.join(outline, `${name}.svg`), 'utf8');
    const body = svg.slice(svg.indexOf('>', svg.indexOf('<svg')) + 1, svg.lastIndexOf('</svg>'))
      .replace(/<path stroke="none"[^>]*\/>/, '').replace(/\s*\n\s*/g, '');
    return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('\n')}</svg>\n`;
}

function licences() {
  const parts = [];
  for (const name of ['htmx.org', '@tabler/core', '@tabler/icons', '@fontsource-variable/inter', '@fontsource-variable/noto-sans-arabic']) {
    const folder = at('node_modules', ...name.split('/'));
    const { version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = fs.readdirSync(folder).find(f => /^licen[cs]e/i.test(f));
    parts.push(`${name} ${version} (${license})\n\n${file ? fs.readFileSync(path.join(folder, file), 'utf8').trim() : ''}\n`);
  }
  // Of the list of leaked passwords only hashes are in the product (src/Vault/passwords.mjs); its notice stands with the others.
  parts.push(fs.readFileSync(at('..', 'Vault', 'passwords.licence.txt'), 'utf8'));
  return parts.join(`\n${'-'.repeat(80)}\n\n`);
}

function fill() {
  const third = (...parts) => fs.readFileSync(at('node_modules', ...parts));
  // A source map is not shipped, so the line that names it would only make developer tools complain.
  const css = (...parts) => third(...parts).toString('utf8').replace(/\/\*# sourceMappingURL=.*?\*\//s, '');
  write('htmx.min.js', third('htmx.org', 'dist', 'htmx.min.js'));
  write('tabler.min.css', css('@tabler', 'core', 'dist', 'css', 'tabler.min.css'));
  write('tabler.rtl.min.css', css('@tabler', 'core', 'dist', 'css', 'tabler.rtl.min.css'));
  for (const set of ['latin', 'latin-ext', 'vietnamese']) {
    write(`fonts/inter-${set}-wght-normal.woff2`, third('@fontsource-variable', 'inter', 'files', `inter-${set}-wght-normal.woff2`));
  }
  write('fonts/noto-sans-arabic-arabic-wght-normal.woff2', third('@fontsource-variable', 'noto-sans-arabic', 'files', 'noto-sans-arabic-arabic-wght-normal.woff2'));
  write('mangrove.css', fs.readFileSync(at('wwwroot', 'mangrove.css')));
  for (const module of fs.readdirSync(at('wwwroot', 'js'))) write(`js/${module}`, fs.readFileSync(at('wwwroot', 'js', module)));
  write('icon.svg', fs.readFileSync(at('wwwroot', 'icon.svg')));
  write('sprite.svg', sprite());
  write('licences.txt', licences());
}

function sweep(folder = lib) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) sweep(file);
    else if (!entry.name.startsWith('.') && !written.has(path.relative(lib, file).replaceAll(path.sep, '/'))) fs.rmSync(file);
  }
}

fs.mkdirSync(lib, { recursive: true });
alone(path.join(lib, '.lock'), () => {
  install(home);
  fill();
  sweep();
  fs.writeFileSync(path.join(lib, '.stamp'), '');
});
