import { inflateRawSync } from "node:zlib";
import { expect } from "vitest";
import type { HeaderLine } from "../../../src/testing/simulated-envoy.ts";
import type { View } from "./chains.ts";
import type { Act, Direction, Sent, Target } from "./generated.ts";

/** A message as it arrived. */
export interface Arrived {
  /** Undefined for a response. */
  readonly target: Target | undefined;
  readonly headers: readonly HeaderLine[];
  readonly body: Uint8Array;
}

/** What must have arrived, given what was sent, what the steps may have done and what the last of them saw. */
export function expectWire(direction: Direction, was: Sent, acts: readonly Act[], arrived: Arrived, view: View | undefined): void {
  expect(arrived.target, direction).toEqual(view?.target);
  const { "content-length": length, ...headers } = grouped(arrived.headers);
  const { "content-length": _, ...seen } = grouped(view?.headers ?? []);
  const { body } = arrived;
  if (length !== undefined) expect(length, direction).toEqual([String(body.length)]);
  expect(length === undefined, direction).toBe(!was.headers.some(([header]) => header === "content-length"));
  const same = Buffer.compare(body, was.body ?? new Uint8Array()) === 0;
  const sentHeaders = grouped(was.headers);
  const mayReplace =
    was.coding === "two members" ||
    isTouched(acts, "content-encoding") ||
    acts.some(({ changes }) => changes.some((one) => one.do === "body"));
  for (const header of new Set([...Object.keys(headers), ...Object.keys(seen)])) {
    // What said something about the bytes that were replaced goes with them, unless a step has set it.
    const about = aboutTheBytes.includes(header);
    const stale = mayReplace && about && headers[header] === undefined && seen[header]?.join() === sentHeaders[header]?.join();
    if (!same && about && !isTouched(acts, header)) expect(headers[header], `${direction}: ${header}`).toBeUndefined();
    else if (!stale) expect(headers[header], `${direction}: ${header}`).toEqual(seen[header]);
  }
  if (view?.body === undefined) return expect(same, direction).toBe(true);
  const expected = Buffer.from(view.body.bytes ?? []);
  const coding = headers["content-encoding"]?.join();
  const ours = coding === sentHeaders["content-encoding"]?.join() && coding === "gzip";
  expect(Buffer.compare(ours && body.length > 0 ? firstMember(body) : body, expected), direction).toBe(0);
}

/** What a reader sees that stops behind the first member, whose header zlib writes in ten bytes. */
const firstMember = (gzip: Uint8Array): Uint8Array => inflateRawSync(gzip.subarray(10));

const aboutTheBytes = ["etag", "content-md5", "digest", "content-digest", "repr-digest", "accept-ranges"];

function isTouched(acts: readonly Act[], header: string): boolean {
  return acts.some(({ changes }) => changes.some((one) => "name" in one && one.name === header));
}

function grouped(lines: readonly HeaderLine[]): Record<string, readonly string[]> {
  const groups: Record<string, string[]> = {};
  for (const [header, text] of lines) {
    if (header.startsWith(":")) continue;
    groups[header] ??= [];
    groups[header].push(text);
  }
  return groups;
}
