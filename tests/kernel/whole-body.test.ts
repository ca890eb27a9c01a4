/** When a body leaves as it came and when it is written again. What it then holds is in `view-is-wire.test.ts`. */
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { expectBody, readBody, type WrittenBody, writeBody } from "../../src/kernel/whole-body.ts";
import { HeaderLines } from "../../src/worker/received-headers.ts";

const two = Buffer.concat([gzipSync("one "), gzipSync("two")]);
const one = gzipSync("one two");
/** The bytes that begin a member, inside of a body that is stored as it is. */
const looksLikeTwo = gzipSync(Buffer.of(1, 0x1f, 0x8b, 0x08, 2), { level: 0 });

interface Given {
  readonly raw: Uint8Array;
  readonly status?: string;
  readonly coding?: string;
  readonly replaced?: string;
}

async function passed({ raw, status = "200", coding = "gzip", replaced }: Given): Promise<WrittenBody> {
  const headers = Object.entries({ ":status": status, "content-encoding": coding, etag: '"1"', "content-length": String(raw.length) });
  const lines = headers.map(([name, value]) => ({ name, value: Buffer.from(value) }));
  const expected = expectBody("response", new HeaderLines(lines), 1024);
  if ("fault" in expected) throw new Error(expected.fault);
  const read = await readBody(expected, raw);
  if ("fault" in read) throw new Error(read.fault);
  const body = replaced === undefined ? undefined : Buffer.from(replaced);
  const done = { kind: "continue", changes: { remove: [], set: [] }, touched: () => false, body, flow: undefined } as const;
  const written = await writeBody(expected, read, done);
  if ("fault" in written) throw new Error(written.fault);
  return written;
}

describe("a body that nobody changed leaves as it came", () => {
  test.for([
    ["one member", { raw: one }],
    ["no coding", { raw: two, coding: "identity" }],
    ["a part of a whole, whatever it holds", { raw: two, status: "206" }],
    ["nothing", { raw: new Uint8Array() }],
  ] as const)("%s", async ([, given]) => {
    expect(await passed(given)).toEqual({ changes: { remove: [], set: [] }, bytes: undefined });
  });
});

describe("a body is written again, and what said something about its bytes goes", () => {
  test.for([
    ["two members", { raw: two }, "one two"],
    ["what looks like two", { raw: looksLikeTwo }, "\u0001\u001f\u008b\u0008\u0002"],
    ["another body", { raw: one, replaced: "three" }, "three"],
  ] as const)("%s", async ([, given, plain]) => {
    const { changes, bytes = new Uint8Array() } = await passed(given);
    expect(gunzipSync(bytes).toString("latin1")).toBe(plain);
    expect(changes).toEqual({
      remove: ["etag"],
      set: [{ name: "content-length", value: Buffer.from(String(bytes.length)), append: false }],
    });
  });
});
