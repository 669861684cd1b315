// SPDX-License-Identifier: Apache-2.0

// Reads the vectors with @bufbuild/protobuf, and writes them:
// node stock_javascript.mjs RUNTIME SCHEMA VECTORS WRITTEN, where RUNTIME is the package's
// folder and SCHEMA a descriptor set. Prints the differences and exits with 1, or prints the
// number of vectors.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [runtime, schema, vectors, written] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${runtime}/dist/esm/${path}`));
const { createFileRegistry, fromBinary, fromJsonString, ScalarType, toBinary, toJsonString } =
  await load("index.js");
const { reflect } = await load("reflect/index.js");
const { FileDescriptorSetSchema } = await load("wkt/index.js");

// Field 1000, which no message has: it must survive being read and written.
const unknown = Buffer.from([0xc2, 0x3e, 3, 0x61, 0x62, 0x63]);

const quoted = (text) =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

function bits(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString("hex");
}

const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function scalar(type, value) {
  if (type === ScalarType.STRING) return quoted(value);
  if (type === ScalarType.DOUBLE) return bits(value);
  return String(value);
}

function* element(at, field, value) {
  const kind = field.fieldKind === "list" ? field.listKind : field.fieldKind;
  if (kind === "message") {
    yield `${at} {}`;
    yield* lines(`${at}.`, value);
  } else {
    yield `${at} ${kind === "enum" ? value : scalar(field.scalar, value)}`;
  }
}

function* lines(path, message) {
  for (const field of message.sortedFields) {
    if (!message.isSet(field)) continue;
    const name = path + field.name;
    const value = message.get(field);
    if (field.fieldKind === "map") {
      for (const key of [...value.keys()].sort(byBytes)) {
        yield `${name}[${quoted(key)}] ${scalar(field.scalar, value.get(key))}`;
      }
    } else if (field.fieldKind === "list") {
      let index = 0;
      for (const item of value) yield* element(`${name}[${index++}]`, field, item);
    } else {
      yield* element(name, field, value);
    }
  }
}

const valuesOf = (type, message) =>
  [`message ${type.typeName}`, ...lines("", reflect(type, message))]
    .map((line) => `${line}\n`)
    .join("");

let count = 0;
let failures = 0;

function expect(place, expected, found) {
  if (expected === found) return;
  console.error(`${place}\nexpected: ${expected}\nfound:    ${found}`);
  ++failures;
}

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(schema)));
mkdirSync(written, { recursive: true });
for (const file of readdirSync(vectors).sort()) {
  if (!file.endsWith(".values")) continue;
  const name = file.slice(0, -".values".length);
  const base = `${vectors}/${name}`;
  const expected = readFileSync(`${base}.values`, "utf8");
  const type = registry.getMessage(expected.split("\n", 1)[0].split(" ")[1]);
  const binary = readFileSync(`${base}.binpb`);
  const message = fromBinary(type, binary);
  expect(`${base}.binpb`, expected, valuesOf(type, message));
  const fromJson = fromJsonString(type, readFileSync(`${base}.json`, "utf8"));
  expect(`${base}.json`, expected, valuesOf(type, fromJson));
  const kept = toBinary(type, fromBinary(type, Buffer.concat([binary, unknown])));
  expect(`${base} with an unknown field`, true, Buffer.from(kept).subarray(-6).equals(unknown));
  writeFileSync(`${written}/${name}.binpb`, toBinary(type, message));
  writeFileSync(`${written}/${name}.json`, `${toJsonString(type, message, { registry })}\n`);
  ++count;
}
if (failures > 0 || count === 0) process.exit(1);
console.log(`${count} vectors`);
