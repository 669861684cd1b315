// SPDX-License-Identifier: Apache-2.0

// The reporter against a real service, $TOKENUSAGE_PROGRAM, that is killed and started again.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
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
  // Its first line is its address.
  const [line] = await once(createInterface({ input: server.stdout! }), "line");
  address = line;
}

async function killServer(): Promise<void> {
  server.kill("SIGKILL");
  if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
}

function startReporter(): UsageReporter {
  return new UsageReporter(`http://${address}`, "demo", {
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

async function storedIds(): Promise<string[]> {
  const baseUrl = `http://${address}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const client = createClient(
    UsageReportingService,
    createGrpcTransport({ baseUrl, sessionManager }),
  );
  const ids: string[] = [];
  let pageToken = "";
  do {
    const page = await client.listUsageRecords({
      project: "demo",
      startTime: { seconds: 1_600_000_000n },
      endTime: { seconds: 4_000_000_000n },
      pageToken,
    });
    ids.push(...page.records.map((record) => record.recordId));
    pageToken = page.nextPageToken;
  } while (pageToken);
  sessionManager.abort();
  return ids;
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

test("close does not wait for ever", async () => {
  await killServer();
  const reporter = startReporter();
  reporter.report(makeRecord("call-1"));
  assert.equal(await reporter.close(1000), false);
});
