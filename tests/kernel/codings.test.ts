import * as zlib from "node:zlib";
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Coder, CodingError } from "../../src/kernel/codings/coder.ts";
import { type Coding, codingsOf } from "../../src/kernel/codings/coding.ts";
import { createDecoder } from "../../src/kernel/codings/decoder.ts";
import { createEncoder } from "../../src/kernel/codings/encoder.ts";
import { ZstdFrames } from "../../src/kernel/codings/zstd-frames.ts";
import { cutAt } from "../policies/streams/chunks.ts";

const all: readonly Coding[] = ["gzip", "deflate", "br", "zstd"];
const encodeWhole: Readonly<Record<Coding, (body: Uint8Array) => Uint8Array>> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};
const decodeWhole: Readonly<Record<Coding, (body: Uint8Array) => Uint8Array>> = {
  gzip: gunzipSync,
  deflate: zlib.inflateSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
};

const text = Buffer.from(Array.from({ length: 300 }, (_, line) => `{"line":${line},"text":"${"abcdefg".slice(line % 7)}"}\n`).join(""));
const noise = Buffer.from(Array.from({ length: 3_000 }, (_, at) => (at * at * 7919 + at * 31) % 251));
const oneByOne = (bytes: Uint8Array) =>
  cutAt(
    bytes,
    Array.from({ length: bytes.length }, (_, place) => place),
  );

async function taken(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts);
}

async function through(coder: Coder, chunks: readonly Uint8Array[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  try {
    for (const chunk of chunks) parts.push(await taken(coder.write(chunk)));
    parts.push(await taken(coder.end()));
  } finally {
    coder.close();
  }
  return Buffer.concat(parts);
}

const decoded = (codings: readonly Coding[], chunks: readonly Uint8Array[], decodedBytesMax = 1_000_000) =>
  through(createDecoder(codings, decodedBytesMax), chunks);

test.each([
  [[], []],
  [["gzip"], ["gzip"]],
  [["X-GZIP"], ["gzip"]],
  [[" br , gzip"], ["br", "gzip"]],
  [
    ["deflate", "zstd"],
    ["deflate", "zstd"],
  ],
  [["identity, gzip", ",", ""], ["gzip"]],
  [["gzip,gzip,gzip"], ["gzip", "gzip", "gzip"]],
  [["gzip,gzip,gzip,gzip"], undefined],
  [["compress"], undefined],
  [["gzip, aws-chunked"], undefined],
  [["gzip;q=1"], undefined],
])("content-encoding %j", (values, codings) => {
  expect(codingsOf(values)).toEqual(codings);
});

describe.each<[string, readonly Coding[]]>([
  ...all.map((coding): [string, readonly Coding[]] => [coding, [coding]]),
  ["none", []],
  ["gzip, br", ["gzip", "br"]],
  ["zstd, deflate, gzip", ["zstd", "deflate", "gzip"]],
])("%s", (_, codings) => {
  const encode = (body: Uint8Array): Uint8Array => codings.reduce((bytes, coding) => encodeWhole[coding](bytes), body);
  const decode = (body: Uint8Array): Uint8Array => codings.toReversed().reduce((bytes, coding) => decodeWhole[coding](bytes), body);

  test.each([
    ["text", text],
    ["noise", noise],
    ["one byte", Buffer.from("a")],
  ])("undoes what others have made, and makes what others undo: %s", async (__, body) => {
    expect(await decoded(codings, [encode(body)])).toEqual(body);
    expect(await decoded(codings, oneByOne(encode(body.subarray(0, 200))))).toEqual(body.subarray(0, 200));
    expect(decode(await through(createEncoder(codings), cutAt(body, [1, 500, 501])))).toEqual(body);
  });

  test("what goes in comes out at once, and comes out of its coding at once", async () => {
    const encoder = createEncoder(codings);
    const decoder = createDecoder(codings, 1_000_000);
    for (const event of ["data: 1\n\n", "data: 2\n\n", text, noise, "d"]) {
      const bytes = Buffer.from(event);
      expect(await taken(decoder.write(await taken(encoder.write(bytes))))).toEqual(bytes);
    }
    for await (const piece of encoder.end()) for await (const more of decoder.write(piece)) expect(more).toHaveLength(0);
    expect(await taken(decoder.end())).toHaveLength(0);
  });

  test("no bytes are no bytes", async () => {
    expect(await decoded(codings, [])).toHaveLength(0);
    expect(await through(createEncoder(codings), [])).toHaveLength(0);
  });

  test("closed midway it gives nothing more, and nobody waits for ever", async () => {
    for (const coder of [createDecoder(codings, 1_000_000), createEncoder(codings)]) {
      const pending = taken(coder.write(encode(text)));
      coder.close();
      await pending;
      coder.close();
      if (codings.length > 0) expect(await taken(coder.write(text))).toHaveLength(0);
    }
  });

  if (codings.length === 0) return;

  test("a body that is cut off anywhere fails", async () => {
    const body = encode(text.subarray(0, 300));
    for (let length = 1; length < body.length; length++) {
      for (const chunks of [[body.subarray(0, length)], cutAt(body.subarray(0, length), [length - 1])]) {
        await expect(decoded(codings, chunks), `cut to ${length}`).rejects.toMatchObject({ kind: "undecodable" });
      }
    }
  });

  test.each([["\0"], ["\0\0\0\0"], ["x"], ["data: 1\n\n"]])("what follows it fails: %j", async (more) => {
    const body = encode(text);
    await expect(decoded(codings, [Buffer.concat([body, Buffer.from(more)])])).rejects.toMatchObject({ kind: "undecodable" });
    await expect(decoded(codings, [body, Buffer.from(more)])).rejects.toMatchObject({ kind: "undecodable" });
  });

  test.each([["garbage"], ["\0"], ["plain text that is as long as it needs to be"]])("what is no such coding fails: %j", async (body) => {
    await expect(decoded(codings, [Buffer.from(body)])).rejects.toBeInstanceOf(CodingError);
  });

  test("a bomb fails by its ratio before much of it is there", async () => {
    const decoder = createDecoder(codings, Number.POSITIVE_INFINITY);
    const bomb = encode(Buffer.alloc(20_000_000));
    let given = 0;
    const read = async (): Promise<void> => {
      for (const chunk of cutAt(bomb, [1, 100, 1_000])) for await (const piece of decoder.write(chunk)) given += piece.length;
    };
    await expect(read()).rejects.toMatchObject({ kind: "too-large", message: expect.stringContaining("200 times") });
    decoder.close();
    expect(given).toBeLessThanOrEqual(Math.max(65_536, 200 * bomb.length));
  });

  test("a body may become as large as the limit and no larger", async () => {
    const body = Buffer.concat([noise, noise]);
    expect(await decoded(codings, [encode(body)], Math.max(6_000, encode(body).length))).toEqual(body);
    await expect(decoded(codings, [encode(body)], 5_999)).rejects.toMatchObject({
      kind: "too-large",
      message: expect.stringContaining("5999 bytes"),
    });
  });
});

describe("several bodies in one", () => {
  test.each<[Coding]>([["gzip"], ["zstd"]])("%s members are one body, whatever the chunks", async (coding) => {
    const encode = encodeWhole[coding];
    const body = Buffer.concat([encode(text), encode(Buffer.from("")), encode(noise), encode(Buffer.from("end"))]);
    const whole = Buffer.concat([text, noise, Buffer.from("end")]);
    const first = encode(text).length;
    for (const places of [[], [first], [first - 1], [first + 1], [first + 5, first + 200], oneByOne(body).map((__, at) => at)]) {
      expect(await decoded([coding], cutAt(body, places))).toEqual(whole);
    }
    await expect(decoded([coding], [body.subarray(0, -1)])).rejects.toMatchObject({ kind: "undecodable" });
    await expect(decoded([coding], [body, encode(text).subarray(0, 3)])).rejects.toMatchObject({ kind: "undecodable" });
  });

  test.each<[Coding]>([["deflate"], ["br"]])("%s has no members: a second one fails", async (coding) => {
    const body = Buffer.concat([encodeWhole[coding](text), encodeWhole[coding](noise)]);
    await expect(decoded([coding], [body])).rejects.toMatchObject({ kind: "undecodable" });
  });
});

describe("zstd", () => {
  const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from("skip!")]);
  const stream = (parts: readonly Buffer[], params: Record<number, number | boolean>) => {
    const frame = zlib.createZstdCompress({ params });
    return new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = [];
      frame.on("data", (chunk: Buffer) => chunks.push(chunk));
      frame.on("end", () => resolve(Buffer.concat(chunks)));
      frame.on("error", reject);
      for (const part of parts) frame.write(part);
      frame.end();
    });
  };

  test("frames of every shape end where they end", async () => {
    const large = Buffer.concat(
      Array.from({ length: 50 }, (_, at) => Buffer.concat([noise, Buffer.from([at]), text, Buffer.alloc(3_000, at)])),
    );
    const frames = [
      zstdCompressSync(text),
      zstdCompressSync(large),
      zstdCompressSync(Buffer.from("")),
      zstdCompressSync(Buffer.alloc(300_000)),
      zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
      skippable,
      await stream([text, large], {}),
      await stream([large, text], { [constants.ZSTD_c_checksumFlag]: 1 }),
      zstdCompressSync(Buffer.alloc(70_000, "abc"), { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } }),
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...frames), { maxLength: 5 }),
        fc.array(fc.nat(1_000_000), { maxLength: 12 }),
        (body, places) => {
          const bytes = Buffer.concat(body);
          const walk = new ZstdFrames();
          const parts = cutAt(bytes, places).flatMap((chunk) => walk.split(chunk));
          expect(Buffer.concat(parts)).toEqual(bytes);
          expect(walk.complete).toBe(true);
          const ends = runningTotals(parts.map(({ length }) => length));
          for (const end of runningTotals(body.map(({ length }) => length))) expect(ends).toContain(end);
        },
      ),
      { seed: 1, numRuns: 100 },
    );
  });

  test("frames that are to be skipped are skipped", async () => {
    const body = Buffer.concat([skippable, zstdCompressSync(text), skippable, zstdCompressSync(noise), skippable]);
    for (const chunks of [[body], oneByOne(body)]) expect(await decoded(["zstd"], chunks)).toEqual(Buffer.concat([text, noise]));
    await expect(decoded(["zstd"], [body.subarray(0, -2)])).rejects.toMatchObject({ kind: "undecodable" });
  });

  test("a window of more than 8 MiB is refused", async () => {
    const body = await stream([text], { [constants.ZSTD_c_windowLog]: 24 });
    await expect(decoded(["zstd"], [body])).rejects.toMatchObject({ kind: "undecodable" });
    expect(await decoded(["zstd"], [await stream([text], { [constants.ZSTD_c_windowLog]: 23 })])).toEqual(text);
  });
});

test("deflate without the zlib format around it is refused (RFC 9110 8.4.1.2)", async () => {
  await expect(decoded(["deflate"], [deflateRawSync(text)])).rejects.toMatchObject({ kind: "undecodable" });
});

test("a changed byte never gives another body in silence", async () => {
  const body = gzipSync(text);
  for (let at = 10; at < body.length; at += 7) {
    const changed = Buffer.from(body);
    changed[at] = (changed[at] ?? 0) ^ 0x55;
    const result = await decoded(["gzip"], [changed]).catch((error: unknown) => error);
    if (!(result instanceof CodingError)) expect(result).toEqual(text);
  }
});

test("any chunks of any body come through any codings", async () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(text, noise, Buffer.concat([noise, text, noise])),
  );
  await fc.assert(
    fc.asyncProperty(
      bodies,
      fc.array(fc.constantFrom(...all), { maxLength: 3 }),
      fc.array(fc.nat(10_000), { maxLength: 6 }),
      fc.array(fc.nat(10_000), { maxLength: 6 }),
      async (body, codings, places, codedPlaces) => {
        const coded = await through(createEncoder(codings), cutAt(body, places));
        expect(await decoded(codings, cutAt(coded, codedPlaces))).toEqual(body);
      },
    ),
    { seed: 1, numRuns: 150 },
  );
});

const runningTotals = (lengths: readonly number[]): readonly number[] => {
  let total = 0;
  return lengths.map((length) => {
    total += length;
    return total;
  });
};
