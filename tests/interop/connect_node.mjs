// SPDX-License-Identifier: Apache-2.0

// Calls the service over HTTP/1.1 with @connectrpc/connect-node, in JSON and in binary:
// node connect_node.mjs SCHEMA URL. SCHEMA is a FileDescriptorSet of the .proto files.

import assert from "node:assert";
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";

const [schema, url] = process.argv.slice(2);
const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(schema)),
);
const service = registry.getService("tokenusage.v1.UsageReportingService");

for (const useBinaryFormat of [false, true]) {
  const client = createClient(
    service,
    createConnectTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat }),
  );
  const id = useBinaryFormat ? "node-binary" : "node-json";
  const time = { seconds: 1793525400n, nanos: 0 };
  const record = {
    recordId: id,
    eventTime: time,
    operation: "chat",
    usage: { case: "tokenUsage", value: { inputTokens: 12 } },
  };
  const report = await client.reportUsage(
    { project: "demo", records: [record] },
    { timeoutMs: 30_000 },
  );
  assert.equal(report.storedCount, 1);

  const many = Array.from({ length: 500 }, (_, i) => ({ ...record, recordId: `${id}-${i}` }));
  const second = await client.reportUsage({ project: "demo", records: many });
  assert.equal(second.storedCount, 500);

  const found = await client.getUsageRecord({ project: "demo", recordId: id });
  assert.equal(found.record.recordId, id);
  assert.equal(found.record.usage.value.inputTokens, 12);

  const window = { startTime: time, endTime: { seconds: time.seconds + 1n, nanos: 0 } };
  const listed = await client.listUsageRecords({ project: "demo", ...window, pageSize: 3 });
  assert.equal(listed.records.length, 3);
  const query = { project: "demo", ...window, groupBy: ["operation"] };
  const { rows } = await client.queryUsage(query);
  assert.equal(rows[0].totals.inputTokens.exact, useBinaryFormat ? "12024" : "6012");
  assert.equal(rows[0].totals.recordCount, useBinaryFormat ? 1002n : 501n);

  const error = await client.queryUsage({ project: "Demo" }).catch((e) => e);
  assert.ok(error instanceof ConnectError);
  assert.equal(error.code, Code.InvalidArgument);
  assert.equal(error.details[0].type, "google.rpc.ErrorInfo");
  assert.equal(error.details[0].debug.reason, "PROJECT_INVALID");
  // Either a millisecond is too short, or all records are duplicates.
  const late = await client
    .reportUsage({ project: "demo", records: many }, { timeoutMs: 1, headers: {} })
    .catch((e) => e);
  assert.ok(late.code === Code.DeadlineExceeded || late.duplicateCount === 500);
}
console.log("connect-node: ok");
