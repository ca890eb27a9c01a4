import type { OutgoingCall } from "../worker/policy-host.ts";
import type { MockedCall } from "./case-format.ts";

/** The outgoing calls of a case and what became of them. */
export interface MockedCalls {
  readonly fetch: (call: OutgoingCall) => Promise<Response>;
  /** Indexes of the given calls that nobody has made. */
  unmade(): readonly number[];
  /** Calls that were made and are not given: `GET https://a/b (key "jwks")`. */
  unknown(): readonly string[];
}

/**
 * Answers calls by key, URL and method. Several that fit answer in turn, the last one every later call too. A call that is not given rejects:
 * nothing ever leaves the process.
 */
export function createMockedCalls(calls: readonly MockedCall[]): MockedCalls {
  const made = new Set<number>();
  const unknown: string[] = [];
  return {
    async fetch({ key, url, init }) {
      const method = init.method ?? "GET";
      const fitting = calls.flatMap((call, index) =>
        call.key === key && call.url === url && (call.method ?? method) === method ? [index] : [],
      );
      const index = fitting.find((candidate) => !made.has(candidate)) ?? fitting.at(-1);
      const call = index === undefined ? undefined : calls[index];
      if (index === undefined || call === undefined) {
        const text = `${method} ${url} (key ${JSON.stringify(key)})`;
        unknown.push(text);
        throw new Error(`no answer is given for the call ${text}`);
      }
      made.add(index);
      if (call.error !== undefined) throw new Error(call.error);
      const { status = 200, headers = {}, body } = call.response ?? {};
      return new Response(mayHaveBody(status) ? body : null, { status, headers: headerPairs(headers) });
    },
    unmade: () => calls.flatMap((_, index) => (made.has(index) ? [] : [index])),
    unknown: () => unknown,
  };
}

/** Fetch, whose class this is, refuses a body with these (Fetch 2.2.3, null body status). */
const mayHaveBody = (status: number): boolean => ![204, 205, 304].includes(status);

function headerPairs(headers: Readonly<Record<string, string | readonly string[]>>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one]));
}
