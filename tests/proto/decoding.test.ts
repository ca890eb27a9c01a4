/** What the generated codecs do with bytes that Envoy, a newer Envoy or an attacker may send. */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProcessingRequest, ProcessingResponse } from "../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import { Struct } from "../../src/generated/proto/google/protobuf/struct.ts";

const bytes = (...parts: (number | string)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part)] : [part])));

/** A field that holds bytes: tag, length, content. */
function field(number: number, content: Uint8Array): Uint8Array {
  return new BinaryWriter()
    .uint32((number << 3) | 2)
    .bytes(content)
    .finish();
}

describe("a ProcessingRequest", () => {
  test("keeps the bytes of a header value that is not UTF-8", () => {
    const value = bytes(0xc3, 0x28, 0xff);
    const header = Buffer.concat([field(1, bytes("x-odd")), field(3, value)]);
    const message = ProcessingRequest.decode(field(2, field(1, field(1, header))));
    expect(message.request?.$case).toBe("requestHeaders");
    const headers = message.request?.$case === "requestHeaders" ? message.request.value.headers?.headers : undefined;
    expect(headers?.[0]?.key).toBe("x-odd");
    expect(headers?.[0]?.rawValue).toEqual(value);
  });

  test("decodes text that is not UTF-8 with replacement characters instead of an error", () => {
    // Envoy copies bytes into string fields unchecked: a path with a byte 0xFF arrives as an attribute.
    const value = field(3, bytes("/a", 0xff, 0xc3, 0x28));
    const attributes = field(1, Buffer.concat([field(1, bytes("request.path")), field(2, value)]));
    const entry = Buffer.concat([field(1, bytes("envoy.filters.http.ext_proc")), field(2, attributes)]);
    const message = ProcessingRequest.decode(field(9, entry));
    expect(message.attributes?.["envoy.filters.http.ext_proc"]).toEqual({ "request.path": "/a\uFFFD\uFFFD(" });
  });

  test("skips fields of newer protocol versions and tolerates a message with nothing in its oneof", () => {
    const newer = Buffer.concat([field(12, bytes("flow")), field(13, bytes("window")), field(4000, bytes("later"))]);
    expect(ProcessingRequest.decode(newer).request).toBeUndefined();
    expect(ProcessingRequest.decode(new Uint8Array()).request).toBeUndefined();
    const withHeaders = ProcessingRequest.decode(Buffer.concat([newer, field(2, bytes())]));
    expect(withHeaders.request).toEqual({ $case: "requestHeaders", value: { headers: undefined, endOfStream: undefined } });
  });

  test("survives what it writes", () => {
    const message: ProcessingRequest = {
      request: {
        $case: "responseHeaders",
        value: { headers: { headers: [{ key: ":status", rawValue: bytes("200") }] }, endOfStream: true },
      },
      metadataContext: { filterMetadata: { "policy.engine": { chain: "api" } } },
      attributes: { "envoy.filters.http.ext_proc": { "xds.route_name": "users", "source.port": 443, tls: true } },
      protocolConfig: { requestBodyMode: 2, responseBodyMode: 4, sendBodyWithoutWaitingForHeaderResponse: true },
    };
    expect(ProcessingRequest.decode(ProcessingRequest.encode(message).finish())).toMatchObject(message);
  });

  test("is decoded or refused with an error, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
        try {
          ProcessingRequest.decode(input);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  test("with structs nested without end is refused before the stack is", () => {
    let value = field(3, bytes("end"));
    for (let depth = 0; depth < 2_000; depth += 1) value = field(5, field(1, Buffer.concat([field(1, bytes("k")), field(2, value)])));
    expect(() => Struct.decode(field(1, Buffer.concat([field(1, bytes("k")), field(2, value)])))).toThrow(/recursion limit/);
  });
});

/** The numbers are the protocol: written here a second time, from Envoy's own files, so that a slip in ours is seen. */
describe("a ProcessingResponse is written under Envoy's field numbers", () => {
  const cases: readonly (readonly [string, ProcessingResponse, string])[] = [
    ["an empty answer to request headers", { response: { $case: "requestHeaders", value: {} } }, "0a00"],
    ["an empty answer to response headers", { response: { $case: "responseHeaders", value: {} } }, "1200"],
    ["an empty answer to a request body", { response: { $case: "requestBody", value: {} } }, "1a00"],
    ["an empty answer to a response body", { response: { $case: "responseBody", value: {} } }, "2200"],
    ["an empty answer to request trailers", { response: { $case: "requestTrailers", value: {} } }, "2a00"],
    ["an empty answer to response trailers", { response: { $case: "responseTrailers", value: {} } }, "3200"],
    [
      "an immediate response",
      {
        response: {
          $case: "immediateResponse",
          value: { status: { code: 418 }, body: bytes("no"), grpcStatus: { status: 7 }, details: "d" },
        },
      },
      // immediate_response=7 { status=1 { code=1 }, body=3, grpc_status=4 { status=1 }, details=5 }
      "3a100a0308a2031a026e6f220208072a0164",
    ],
    [
      "header mutations",
      {
        response: {
          $case: "requestHeaders",
          value: {
            response: {
              headerMutation: { setHeaders: [{ header: { key: "a", rawValue: bytes("b") }, append: true }], removeHeaders: ["c"] },
              clearRouteCache: true,
            },
          },
        },
      },
      // request_headers=1 { response=1 { header_mutation=2 { set_headers=1 { header=1 { key=1, raw_value=3 }, append=2 {1} }, remove_headers=2 }, clear_route_cache=5 } }
      "0a170a1512110a0c0a060a01611a0162120208011201632801",
    ],
    ["a mode override", { modeOverride: { responseHeaderMode: 1, requestBodyMode: 2 } }, "4a0410011802"],
  ];

  test.each(cases)("%s", (_, message, hex) => {
    expect(Buffer.from(ProcessingResponse.encode(message).finish()).toString("hex")).toBe(hex);
  });
});
