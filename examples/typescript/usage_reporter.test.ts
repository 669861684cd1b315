// SPDX-License-Identifier: Apache-2.0

// Tests the reporter and the gateway with a real service, $TOKENUSAGE_PROGRAM, which is killed
// and started again.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { Gateway } from "./gateway.js";
import { type UsageRecord, UsageRecordSchema } from "./generated/tokenusage/v1/usage_record_pb.js";
import { UsageReportingService } from "./generated/tokenusage/v1/usage_reporting_service_pb.js";
import { UsageReporter } from "./usage_reporter.js";

let folder: string;
let server: ChildProcess;
let address: string;
let refused: string[];

async function startServer(listen: string): Promise<void> {
  const store = `--store=sqlite://${join(folder, "usage.db")}`;
  server = spawn(process.env.TOKENUSAGE_PROGRAM!, ["serve", store, `--listen=${listen}`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  // The first line that the service prints is its address.
  const [line] = await once(createInterface({ input: server.stdout! }), "line");
  address = line;
}

async function killServer(): Promise<void> {
  server.kill("SIGKILL");
  if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
}

function startReporter(server = address): UsageReporter {
  return new UsageReporter(`http://${server}`, "demo", {
    onRefused: (record) => refused.push(record.recordId),
  });
}

function makeRecord(recordId: string, total = 21): UsageRecord {
  return create(UsageRecordSchema, {
    recordId,
    operation: "chat",
    model: "gpt-4o",
    usage: {
      case: "tokenUsage",
      value: { inputTokens: 9, outputTokens: 12, totalTokens: total },
    },
  });
}

async function storedRecords(): Promise<UsageRecord[]> {
  const baseUrl = `http://${address}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const client = createClient(
    UsageReportingService,
    createGrpcTransport({ baseUrl, sessionManager }),
  );
  const records: UsageRecord[] = [];
  let pageToken = "";
  do {
    const page = await client.listUsageRecords({
      project: "demo",
      startTime: { seconds: 1_600_000_000n },
      endTime: { seconds: 4_000_000_000n },
      pageToken,
    });
    records.push(...page.records);
    pageToken = page.nextPageToken;
  } while (pageToken);
  sessionManager.abort();
  return records;
}

async function storedIds(): Promise<string[]> {
  return (await storedRecords()).map((record) => record.recordId);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "usage-reporter-"));
  refused = [];
  await startServer("127.0.0.1:0");
});

afterEach(async () => {
  await killServer();
  await rm(folder, { recursive: true });
});

test("delivers while the service is killed", async () => {
  const reporter = startReporter();
  const ids = [];
  for (let number = 0; number < 3000; ++number) {
    ids.push(`call-${number}`);
    assert(reporter.report(makeRecord(`call-${number}`)));
    if (number === 1000) await killServer();
    if (number === 2000) await startServer(address);
  }
  assert(await reporter.close(60_000));
  assert.deepEqual((await storedIds()).sort(), ids.sort());
  assert.deepEqual(refused, []);
});

test("fills ids, and tells refused records", async () => {
  const reporter = startReporter();
  const first = makeRecord("");
  assert(reporter.report(first));
  assert(reporter.report(makeRecord("call-1", -1)));
  assert(await reporter.close(60_000));
  assert.match(first.recordId, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  assert.deepEqual(await storedIds(), [first.recordId]);
  assert.deepEqual(refused, ["call-1"]);
});

test("keeps records while the service is busy", async () => {
  let refusals = 3;
  let stored = 0;
  const service = createServer(
    connectNodeAdapter({
      routes: (router) =>
        router.service(UsageReportingService, {
          reportUsage({ records }) {
            if (refusals-- > 0) throw new ConnectError("busy", Code.ResourceExhausted);
            stored += records.length;
            return { storedCount: records.length };
          },
        }),
    }),
  );
  await once(service.listen(0, "127.0.0.1"), "listening");
  const reporter = startReporter(`127.0.0.1:${(service.address() as AddressInfo).port}`);
  reporter.report(makeRecord("call-1"));
  reporter.report(makeRecord("call-2"));
  assert(await reporter.close(60_000));
  service.close();
  assert.deepEqual([stored, refused], [2, []]);
});

test("gateway reports responses and streams", async () => {
  const reporter = startReporter();
  const gateway = new Gateway(reporter);
  gateway.onResponse(
    `{"id":"chatcmpl-1","model":"gpt-4o","choices":[{"message":{"content":"Hello"}}],
      "usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"new_tokens":1}}`,
    "acme",
  );
  const stream = gateway.stream("acme");
  const events = Buffer.from(
    'data: {"id":"chatcmpl-2","model":"gpt-4o","choices":[{"delta":{}}],"usage":null}\n\n' +
      'data: {"id":"chatcmpl-2","model":"gpt-4o","choices":[],' +
      '"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}\n\n' +
      "data: [DONE]\n\n",
  );
  for (let start = 0; start < events.length; start += 50) {
    stream.onChunk(events.subarray(start, start + 50));
  }
  stream.onEnd();
  const badId = '{"id":1,"usage":{"total_tokens":1}}';
  const badUsage = '{"usage":{"total_tokens":"x"}}';
  for (const body of ["<html>", "[]", "{}", badId, badUsage]) gateway.onResponse(body, "acme");
  assert(await reporter.close(60_000));
  const totals = (await storedRecords()).map(({ recordId, model, labels, usage }) => [
    recordId,
    model,
    labels.customer,
    usage.case === "openaiChat" && usage.value.totalTokens,
  ]);
  assert.deepEqual(totals.sort(), [
    ["chatcmpl-1", "gpt-4o", "acme", 21n],
    ["chatcmpl-2", "gpt-4o", "acme", 12n],
  ]);
});

test("close does not wait for ever", async () => {
  await killServer();
  const reporter = startReporter();
  reporter.report(makeRecord("call-1"));
  assert.equal(await reporter.close(1000), false);
});
