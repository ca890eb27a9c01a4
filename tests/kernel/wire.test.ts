/** Our reader and writer against the generated codec, in both directions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProcessingMode_BodySendMode as BodyMode } from "../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import {
  type HttpHeaders,
  ProcessingRequest,
  ProcessingResponse,
} from "../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import { decodeIncoming, type Incoming } from "../../src/kernel/wire/decode.ts";
import {
  encodeBodyAnswer,
  encodeHeadersAnswer,
  encodeReply,
  encodeStreamedBody,
  encodeTrailersAnswer,
  type ModeOverride,
} from "../../src/kernel/wire/encode.ts";
import type { HeaderChanges } from "../../src/worker/header-store.ts";

const phases = {
  requestHeaders: "request-headers",
  responseHeaders: "response-headers",
  requestBody: "request-body",
  responseBody: "response-body",
  requestTrailers: "request-trailers",
  responseTrailers: "response-trailers",
} as const;

const bytes = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 120, maxLength: 300 }));
const name = fc.oneof(
  fc.constantFrom(":path", ":status", "content-type", "X-Mixed-Case", "set-cookie", "__proto__", "constructor"),
  fc.string({ unit: "grapheme-ascii", maxLength: 150 }),
);
const absent = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(arbitrary, { nil: undefined });
const line = fc.record({ key: absent(name), value: absent(fc.string({ unit: "grapheme", maxLength: 20 })), rawValue: absent(bytes) });
const lines = absent(fc.record({ headers: fc.array(line, { maxLength: 12 }) }));
const headersMessage = fc.record({ headers: lines, endOfStream: absent(fc.boolean()) });
const bodyMessage = fc.record({ body: absent(bytes), endOfStream: absent(fc.boolean()) });
const trailersMessage = fc.record({ trailers: lines });
const attribute: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 150 }).filter((text) => !text.startsWith("\ufeff")),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, ["in", "a", "list"], { in: { a: "struct" } }),
);
const attributes = fc.dictionary(
  fc.oneof({ weight: 4, arbitrary: fc.constant("envoy.filters.http.ext_proc") }, fc.string()),
  fc.dictionary(fc.oneof(fc.constantFrom("xds.route_name", "source.address", "source.port"), fc.string()), attribute, { maxKeys: 5 }),
  { maxKeys: 3 },
);
const modes = Object.values(BodyMode).filter((mode): mode is BodyMode => typeof mode === "number" && mode >= 0);
const message = fc.record({
  request: absent(
    fc.oneof(
      fc.record({ $case: fc.constantFrom("requestHeaders" as const, "responseHeaders" as const), value: headersMessage }),
      fc.record({ $case: fc.constantFrom("requestBody" as const, "responseBody" as const), value: bodyMessage }),
      fc.record({ $case: fc.constantFrom("requestTrailers" as const, "responseTrailers" as const), value: trailersMessage }),
    ),
  ),
  attributes,
  observabilityMode: absent(fc.boolean()),
  protocolConfig: absent(
    fc.record({ requestBodyMode: absent(fc.constantFrom(...modes)), responseBodyMode: absent(fc.constantFrom(...modes)) }),
  ),
});

/** Fields that nobody knows: numbers from 100, of every wire type but the groups, which proto3 has not. */
const unknownField = fc
  .tuple(
    fc.integer({ min: 100, max: 2 ** 28 }),
    fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({ wire: 0, bytes: varint(value) })),
      fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value) => ({ wire: 1, bytes: [...value] })),
      fc.uint8Array({ maxLength: 200 }).map((value) => ({ wire: 2, bytes: [...varint(BigInt(value.length)), ...value] })),
      fc.uint8Array({ minLength: 4, maxLength: 4 }).map((value) => ({ wire: 5, bytes: [...value] })),
    ),
  )
  .map(([number, value]) => Uint8Array.from([...varint(BigInt(number) * 8n + BigInt(value.wire)), ...value.bytes]));

function varint(value: bigint): number[] {
  return value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
}

test("what is read is what the generated codec reads, whatever unknown fields are around it", () => {
  fc.assert(
    fc.property(message, fc.array(unknownField, { maxLength: 2 }), fc.array(unknownField, { maxLength: 2 }), (sent, before, behind) => {
      const wire = Buffer.concat([...before, ProcessingRequest.encode(sent).finish(), ...behind]);
      expect(seen(decodeIncoming(wire))).toEqual(expected(ProcessingRequest.decode(wire)));
    }),
    { seed: 1, numRuns: 3000 },
  );
});

test("of what is no message a RangeError comes, and nothing is read beyond its end", () => {
  const damage = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), cut: fc.boolean() });
  fc.assert(
    fc.property(message, fc.array(damage, { minLength: 1, maxLength: 3 }), (sent, damages) => {
      let wire = Buffer.from(ProcessingRequest.encode(sent).finish());
      for (const { at, byte, cut } of damages) {
        if (wire.length === 0) continue;
        if (cut) wire = wire.subarray(0, at % wire.length);
        else wire[at % wire.length] = byte;
      }
      // What lies around a message in memory is somebody else's.
      const around = Buffer.concat([Buffer.alloc(64, 0x41), wire, Buffer.alloc(64, 0x41)]);
      expect(outcome(around.subarray(64, 64 + wire.length))).toEqual(outcome(Buffer.from(wire)));
    }),
    { seed: 2, numRuns: 3000 },
  );
});

test("arbitrary bytes are read or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (wire) => void outcome(wire)),
    { seed: 3, numRuns: 5000 },
  );
});

test("the last of several counts, as the generated codec has it", () => {
  const one = (text: string): Uint8Array =>
    ProcessingRequest.encode({
      request: { $case: "requestHeaders", value: { headers: { headers: [{ key: "a", rawValue: Buffer.from(text) }] } } },
      attributes: { "envoy.filters.http.ext_proc": { "xds.route_name": text } },
    }).finish();
  const wire = Buffer.concat([one("first"), one("last")]);
  const { headers, attributes } = decodeIncoming(wire);
  expect(headers.values("a").map(latin1)).toEqual(["last"]);
  expect(attributes?.get("xds.route_name")).toBe("last");
});

test.for([
  ["an integer of eleven bytes", [0x50, ...Array.from({ length: 10 }, () => 0x80), 1]],
  ["a field with the number 0", [0x02, 0]],
  ["a group", [0x0b, 0x0c]],
  ["a length beyond the end", [0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ["a line beyond its map", [0x12, 4, 0x0a, 2, 0x0a, 9, 0x0a]],
])("%s is refused", ([, wire]) => {
  expect(() => decodeIncoming(Uint8Array.from(wire as number[]))).toThrow(RangeError);
});

const changes: fc.Arbitrary<HeaderChanges> = fc.record({
  remove: fc.array(name, { maxLength: 5 }),
  set: fc.array(fc.record({ name, value: bytes, append: fc.boolean() }), { maxLength: 5 }),
});
const override: fc.Arbitrary<ModeOverride> = fc.record({
  requestBody: fc.constantFrom("none", "buffered", "full-duplex-streamed"),
  responseHeaders: fc.constantFrom("send", "skip"),
  responseBody: fc.constantFrom("none", "buffered", "full-duplex-streamed"),
});
const envoyBodyMode = { none: BodyMode.NONE, buffered: BodyMode.BUFFERED, "full-duplex-streamed": BodyMode.FULL_DUPLEX_STREAMED };
const runs = { seed: 4, numRuns: 1000 };

test("answers to headers are what the generated codec reads of them", () => {
  fc.assert(
    fc.property(fc.constantFrom("request-headers", "response-headers"), changes, absent(override), (phase, changed, modes) => {
      const { response, modeOverride } = ProcessingResponse.decode(encodeHeadersAnswer(phase, changed, modes));
      expect(response?.$case).toBe(phase === "request-headers" ? "requestHeaders" : "responseHeaders");
      const common = response !== undefined && "response" in response.value ? response.value.response : undefined;
      expect(mutationOf(common?.headerMutation)).toEqual(mutationOf(envoyMutation(changed)));
      expect(modeOverride).toEqual(
        modes && {
          requestHeaderMode: 1,
          responseHeaderMode: modes.responseHeaders === "send" ? 1 : 2,
          requestBodyMode: envoyBodyMode[modes.requestBody],
          responseBodyMode: envoyBodyMode[modes.responseBody],
          requestTrailerMode: modes.requestBody === "none" ? 2 : 1,
          responseTrailerMode: modes.responseBody === "none" ? 2 : 1,
        },
      );
    }),
    runs,
  );
});

test("answers to bodies and trailers are what the generated codec reads of them", () => {
  fc.assert(
    fc.property(changes, absent(bytes), (changed, body) => {
      const { response } = ProcessingResponse.decode(encodeBodyAnswer("request-body", changed, body));
      const common = response?.$case === "requestBody" ? response.value.response : undefined;
      expect(mutationOf(common?.headerMutation)).toEqual(mutationOf(envoyMutation(changed)));
      const { mutation } = common?.bodyMutation ?? {};
      if (body === undefined) expect(mutation).toBeUndefined();
      else if (body.length === 0) expect(mutation).toEqual({ $case: "clearBody", value: true });
      else expect([mutation?.$case, Buffer.from(mutation?.value as Uint8Array)]).toEqual(["body", Buffer.from(body)]);
      const trailers = ProcessingResponse.decode(encodeTrailersAnswer("response-trailers", changed)).response;
      expect(mutationOf(trailers?.$case === "responseTrailers" ? trailers.value.headerMutation : undefined)).toEqual(
        mutationOf(envoyMutation(changed)),
      );
    }),
    runs,
  );
});

test("a piece of a body is what the generated codec reads of it", () => {
  fc.assert(
    fc.property(fc.oneof(bytes, fc.constant(Buffer.alloc(70_000, 7))), fc.constantFrom("last", "more-follows"), (body, end) => {
      const { response } = ProcessingResponse.decode(encodeStreamedBody("response-body", body, end));
      const mutation = response?.$case === "responseBody" ? response.value.response?.bodyMutation?.mutation : undefined;
      const streamed = mutation?.$case === "streamedResponse" ? mutation.value : undefined;
      expect(Buffer.from(streamed?.body ?? [])).toEqual(Buffer.from(body));
      expect(streamed?.endOfStream ?? false).toBe(end === "last");
    }),
    { seed: 5, numRuns: 500 },
  );
});

test("replies are what the generated codec reads of them", () => {
  const reply = fc.record({
    status: fc.integer({ min: 200, max: 599 }),
    headers: fc.array(fc.record({ name, value: bytes }), { maxLength: 5 }),
    body: bytes,
    grpcStatus: absent(fc.integer({ min: 0, max: 16 })),
    code: fc.constantFrom("reply", "a-longer-code"),
    reason: fc.constant(undefined),
    step: fc.constant(undefined),
    failedStep: fc.constant(undefined),
  });
  fc.assert(
    fc.property(reply, (sent) => {
      const { response } = ProcessingResponse.decode(encodeReply(sent));
      const read = response?.$case === "immediateResponse" ? response.value : undefined;
      expect(read?.status?.code).toBe(sent.status);
      expect(Buffer.from(read?.body ?? [])).toEqual(Buffer.from(sent.body));
      expect(read?.grpcStatus?.status).toBe(sent.grpcStatus);
      expect(read?.details).toBe(`policy_engine_${sent.code}`);
      const set = sent.headers.map((one, index) => ({
        ...one,
        append: sent.headers.findIndex((other) => other.name === one.name) < index,
      }));
      expect(mutationOf(read?.headers)).toEqual(mutationOf(envoyMutation({ remove: [], set })));
    }),
    runs,
  );
});

function seen({ phase, headers, attributes, body, endOfStream, configured, observed }: Incoming): unknown {
  const entries = headers.entries();
  const names = new Set(entries.map((entry) => entry.name));
  // Nobody asks for a name that is no name.
  for (const one of [...names, "never-sent"].filter((asked) => /^[\0-\x7f]*$/.test(asked))) {
    expect(headers.has(one)).toBe(names.has(one));
    expect(headers.values(one).map(latin1)).toEqual(entries.filter((entry) => entry.name === one).map(({ value }) => latin1(value)));
  }
  return {
    phase,
    headers: entries.map((entry) => [entry.name, latin1(entry.value)]),
    attributes: attributes && Object.fromEntries(attributes.names().map((one) => [one, attributes.get(one)])),
    body: latin1(body),
    endOfStream,
    configured,
    observed,
  };
}

function expected({ request, attributes, observabilityMode, protocolConfig }: ProcessingRequest): unknown {
  const value: { headers?: HttpHeaders["headers"]; trailers?: HttpHeaders["headers"]; body?: Uint8Array; endOfStream?: boolean } = {
    ...request?.value,
  } as object;
  const map = value.headers ?? value.trailers;
  const struct = attributes?.["envoy.filters.http.ext_proc"];
  return {
    phase: request === undefined ? "unknown" : phases[request.$case],
    headers: (map?.headers ?? [])
      .filter(({ key = "" }) => key !== "")
      .map(({ key = "", value: text = "", rawValue }) => [
        key.replace(/[A-Z]/g, (capital) => capital.toLowerCase()),
        latin1(rawValue ?? Buffer.from(text)),
      ]),
    attributes:
      struct && Object.fromEntries(Object.entries(struct).map(([one, held]) => [one, typeof held === "object" ? undefined : held])),
    body: latin1(value.body ?? new Uint8Array()),
    endOfStream: request?.$case.endsWith("Trailers") === true || value.endOfStream === true,
    configured: protocolConfig && {
      request: bodyModeName(protocolConfig.requestBodyMode),
      response: bodyModeName(protocolConfig.responseBodyMode),
    },
    observed: observabilityMode === true,
  };
}

function bodyModeName(mode: BodyMode = BodyMode.NONE): string {
  const names: Partial<Record<BodyMode, string>> = {
    [BodyMode.NONE]: "none",
    [BodyMode.BUFFERED]: "buffered",
    [BodyMode.FULL_DUPLEX_STREAMED]: "full-duplex-streamed",
  };
  return names[mode] ?? "pieces";
}

function outcome(wire: Uint8Array): unknown {
  try {
    return seen(decodeIncoming(wire));
  } catch (error) {
    if (error instanceof RangeError) return "refused";
    throw error;
  }
}

function envoyMutation({ remove, set }: HeaderChanges) {
  return {
    removeHeaders: [...remove],
    setHeaders: set.map(({ name: key, value: rawValue, append }) => ({ header: { key, rawValue }, append, appendAction: append ? 0 : 2 })),
  };
}

interface Mutation {
  readonly removeHeaders?: readonly string[] | undefined;
  readonly setHeaders?:
    | readonly {
        readonly header?: { readonly key?: string | undefined; readonly rawValue?: Uint8Array | undefined } | undefined;
        readonly append?: boolean | undefined;
        readonly appendAction?: number | undefined;
      }[]
    | undefined;
}

/** As far as Envoy reads it, comparable. */
function mutationOf(mutation: Mutation | undefined): unknown {
  return {
    remove: mutation?.removeHeaders ?? [],
    set: (mutation?.setHeaders ?? []).map(({ header, append, appendAction }) => [
      header?.key,
      latin1(header?.rawValue ?? new Uint8Array()),
      append,
      appendAction,
    ]),
  };
}

const latin1 = (value: Uint8Array): string => Buffer.from(value).toString("latin1");
