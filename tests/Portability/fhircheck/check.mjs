// Judges every line of FHIR R4 NDJSON twice: by the official JSON schema (ajv) and by the official structure definitions
// (@medplum/core). Each alone lets invalid resources through. Answers one JSON object; it names lines and rules, not content.
//   node check.mjs SCHEMA.json.gz CORE.tar.gz FILE.ndjson
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createRequire } from 'node:module';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';

const require = createRequire(import.meta.url);
const Ajv = require('ajv').default;
const [schemaFile, packageFile, file] = process.argv.slice(2);

function bySchema() {
  const schema = JSON.parse(gunzipSync(readFileSync(schemaFile)));
  const names = schema.definitions.ResourceList.oneOf.map(item => item.$ref.split('/').pop());
  // Draft 4's id and the OpenAPI discriminator are unknown to draft 6; oneOf over 148 types answers nothing useful.
  for (const key of ['id', 'discriminator', 'oneOf']) delete schema[key];
  schema.definitions.ResourceList = {
    type: 'object',
    required: ['resourceType'],
    properties: { resourceType: { enum: names } },
    allOf: names.map(name => ({
      if: { properties: { resourceType: { const: name } }, required: ['resourceType'] },
      then: { $ref: `#/definitions/${name}` },
    })),
  };
  schema.$ref = '#/definitions/ResourceList';
  // The schema of 4.0.1 ends its list of versions at 4.0.0: it forgets its own number, which every R4 server states.
  const versions = schema.definitions.CapabilityStatement.properties.fhirVersion.enum;
  if (!versions.includes('4.0.1')) versions.push('4.0.1');
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addMetaSchema(require('ajv/dist/refs/json-schema-draft-06.json'));
  const validate = ajv.compile(schema);
  return resource => validate(resource) ? undefined : validate.errors.map(e => `${e.instancePath} ${e.keyword}`).join('; ');
}

function* tarEntries(bytes) {
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0;) {
    const text = (from, length) => bytes.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = parseInt(text(124, 12), 8);
    yield { name: text(0, 100), body: bytes.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

function byDefinitions() {
  const entry = [];
  for (const { name, body } of tarEntries(gunzipSync(readFileSync(packageFile)))) {
    if (!/StructureDefinition-[^/]*\.json$/.test(name)) continue;
    const resource = JSON.parse(body);
    if (resource.derivation !== 'constraint' && resource.kind !== 'logical') entry.push({ resource });
  }
  if (entry.length < 200) throw new Error(`the package holds only ${entry.length} structure definitions`);
  indexStructureDefinitionBundle({ resourceType: 'Bundle', type: 'collection', entry });
  return resource => {
    try {
      validateResource(resource);
      return undefined;
    } catch (error) {
      return (error.outcome?.issue ?? []).map(i => `${i.expression?.join(',')} ${i.code}`).join('; ') || error.message;
    }
  };
}

const judges = { schema: bySchema(), definitions: byDefinitions() };
const problems = [];
let resources = 0;
readFileSync(file, 'utf8').split('\n').forEach((line, index) => {
  if (line.trim() === '') return;
  resources++;
  const resource = JSON.parse(line);
  for (const [by, judge] of Object.entries(judges)) {
    const rule = judge(resource);
    if (rule !== undefined) problems.push({ line: index + 1, by, rule });
  }
});
process.stdout.write(JSON.stringify({ resources, problems }));
