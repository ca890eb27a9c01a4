/** What is sent, and what steps do to it. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import type { HeaderLine } from "../../../src/testing/simulated-envoy.ts";

export type Direction = "request" | "response";
export const directions: readonly Direction[] = ["request", "response"];

/** What one step does in one direction. */
export interface Act {
  readonly changes: readonly Change[];
  readonly ends: "well" | "later" | "badly";
}

export type Change =
  | { readonly do: "set" | "append"; readonly name: string; readonly value: Uint8Array }
  | { readonly do: "delete"; readonly name: string }
  /** Done only where the step waits for the body. */
  | { readonly do: "body"; readonly bytes: Uint8Array | undefined }
  /** Done only on the request. */
  | { readonly do: "target"; readonly to: Partial<Target> };

/** Where a request goes. */
export interface Target {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
}

/** A message as it is sent. */
export interface Sent {
  readonly headers: readonly HeaderLine[];
  readonly coding: keyof typeof coded;
  /** Undefined: the message ends with its headers. */
  readonly body: Uint8Array | undefined;
}

const aboutTheBody = ["etag", "content-digest", "accept-ranges", "content-encoding"] as const;
const names: Readonly<Record<Direction, fc.Arbitrary<string>>> = {
  request: fc.constantFrom("x-a", "x-a", "x-b", "cookie", ...aboutTheBody),
  response: fc.constantFrom("x-a", "x-a", "x-b", "set-cookie", ...aboutTheBody),
};

/** A header's value as a policy may set it (RFC 9110 5.5). */
export const anyValue: fc.Arbitrary<Uint8Array> = fc
  .uint8Array({ maxLength: 24 })
  .map((some) => some.filter((byte) => byte === 9 || (byte >= 32 && byte !== 127)));

export const smallBody: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 24 });

const target: fc.Arbitrary<Partial<Target>> = fc.oneof(
  // Not HEAD and CONNECT, to which the answer is another.
  fc.record({ method: fc.constantFrom("GET", "POST", "DELETE", "PURGE", "x-!#$%&'*+.^_`|~") }),
  fc.record({ path: fc.stringMatching(/^\/[\x21-\x22\x24-\x3e\x40-\x7e]{0,12}$/) }),
  fc.record({ query: fc.stringMatching(/^[\x21\x22\x24-\x7e]{0,12}$/) }),
  fc.record({ host: fc.stringMatching(/^[A-Za-z0-9\-._~!$&'()*+,;=:%[\]]{1,12}$/) }),
);

/** One for each of three steps. */
export function acts(direction: Direction, value: fc.Arbitrary<Uint8Array>, body: fc.Arbitrary<Uint8Array>): fc.Arbitrary<readonly Act[]> {
  const name = names[direction];
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ do: fc.constantFrom("set" as const, "append" as const), name, value }),
    fc.record({ do: fc.constant("delete" as const), name }),
    fc.record({ do: fc.constant("body" as const), bytes: fc.option(body, { nil: undefined }) }),
    fc.record({ do: fc.constant("target" as const), to: target }),
  );
  const act: fc.Arbitrary<Act> = fc.record({
    changes: fc.array(change, { maxLength: 4 }),
    ends: fc.constantFrom("well", "well", "later", "badly"),
  });
  return fc.array(act, { minLength: 3, maxLength: 3 });
}

const coded = {
  none: (plain: Uint8Array) => plain,
  gzip: (plain: Uint8Array) => gzipSync(plain),
  "two members": (plain: Uint8Array) => Buffer.concat([gzipSync(plain.subarray(0, 3)), gzipSync(plain.subarray(3))]),
};

export function sent(direction: Direction, value: fc.Arbitrary<Uint8Array>, body: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Sent> {
  return fc
    .record({
      headers: fc.array(
        fc.tuple(names[direction], value).filter(([header]) => header !== "content-encoding"),
        { maxLength: 5 },
      ),
      plain: fc.option(body, { nil: undefined, freq: 6 }),
      coding: fc.constantFrom<Sent["coding"]>("none", "gzip", "two members"),
      length: fc.boolean(),
    })
    .map(({ headers, plain, coding, length }) => {
      const bytes = plain && coded[coding](plain);
      return {
        headers: [
          ...headers.map(([header, text]): HeaderLine => [header, Buffer.from(text).toString("latin1")]),
          ...(coding === "none" ? [] : [["content-encoding", "gzip"] as const]),
          ...(length && bytes !== undefined ? [["content-length", String(bytes.length)] as const] : []),
        ],
        coding,
        body: bytes,
      };
    });
}

/** Without the `?` between them (RFC 3986 3.4). */
export function pathAndQuery(whole: string): Pick<Target, "path" | "query"> {
  const at = whole.indexOf("?");
  return at === -1 ? { path: whole, query: "" } : { path: whole.slice(0, at), query: whole.slice(at + 1) };
}
