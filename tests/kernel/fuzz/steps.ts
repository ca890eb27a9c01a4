/** What steps do: from nothing to what no policy should. */
import type { Outcome } from "@envoy-policy-engine/sdk";
import fc from "fast-check";
import { type Transforming, transforming } from "./transforms.ts";

const behaviours = [
  "pass",
  "change",
  "replace",
  "replace-later",
  "clear",
  "pass-later",
  "deny",
  "deny-later",
  "throw",
  "reject",
  "hang",
  "nonsense",
  "bad-thenable",
] as const;
export type Behaviour = (typeof behaviours)[number];

export interface Step {
  readonly request: Behaviour | undefined;
  readonly response: Behaviour | undefined;
  /** Also what an upgrade or a stream of events means for it. */
  readonly onError: "deny" | "skip";
  /** How its handlers take the body. */
  readonly body: Readonly<Record<Direction, Takes>>;
  /** What streamed handlers leave behind for it. */
  readonly transforming: Transforming;
}

type Takes = "none" | "buffered" | "streamed";

export type Direction = "request" | "response";

const behaviour = fc.constantFrom(...behaviours);
const mildBehaviour = fc.constantFrom<Behaviour>("pass", "change", "replace", "replace-later", "pass-later");
const takes = fc.constantFrom<Takes>("none", "buffered", "buffered", "streamed");
const anyBody = fc.record({ request: takes, response: takes });
export const step: fc.Arbitrary<Step> = fc
  .record({
    request: fc.option(fc.oneof({ weight: 3, arbitrary: mildBehaviour }, { weight: 1, arbitrary: behaviour }), { nil: undefined }),
    response: fc.option(fc.oneof({ weight: 3, arbitrary: mildBehaviour }, { weight: 1, arbitrary: behaviour }), { nil: undefined }),
    onError: fc.constantFrom<Step["onError"]>("deny", "skip"),
    body: anyBody,
    transforming,
  })
  .filter(({ request, response }) => request !== undefined || response !== undefined);

/** A step that waits for the response's body, and does not keep the request from getting there. */
export const waiting: fc.Arbitrary<Step> = fc.record({
  request: fc.constant(undefined),
  response: mildBehaviour,
  onError: fc.constantFrom<Step["onError"]>("deny", "skip"),
  body: fc.constant<Step["body"]>({ request: "none", response: "buffered" }),
  transforming,
});

/** A step through which the bodies pass in pieces; some only in the request, so that bodies are left to pass when no handler is. */
export const streaming: fc.Arbitrary<Step> = fc.record({
  request: mildBehaviour.filter((behaviour) => !behaviour.endsWith("later")),
  response: fc.option(fc.constantFrom<Behaviour>("pass", "change"), { nil: undefined, freq: 3 }),
  onError: fc.constantFrom<Step["onError"]>("deny", "skip"),
  body: fc.constant<Step["body"]>({ request: "streamed", response: "streamed" }),
  transforming,
});

/** A step that lets nobody pass. */
export const denying: fc.Arbitrary<Step> = fc.record({
  request: fc.constantFrom<Behaviour>("deny", "deny-later", "throw", "reject", "hang", "nonsense", "bad-thenable"),
  response: fc.option(behaviour, { nil: undefined }),
  onError: fc.constant("deny"),
  body: anyBody,
  transforming,
});

export function act(what: Behaviour, change: (body?: "replaced" | "cleared") => void): Outcome {
  switch (what) {
    case "pass":
      return undefined;
    case "change":
      return change();
    case "replace":
      return change("replaced");
    case "replace-later":
      return new Promise<void>((resolve) => setImmediate(resolve)).then(() => change("replaced"));
    case "clear":
      return change("cleared");
    case "pass-later":
      return new Promise<void>((resolve) => setImmediate(resolve)).then(() => change());
    case "deny":
      return { status: 403 };
    case "deny-later":
      return new Promise<void>((resolve) => setImmediate(resolve)).then(() => ({ status: 403 }));
    case "throw":
      throw new Error("thrown");
    case "reject":
      return Promise.reject(new Error("rejected"));
    case "hang":
      return new Promise(() => {});
    case "nonsense":
      return "nonsense" as never;
    case "bad-thenable":
      return badThenable as never;
    default:
      return what satisfies never;
  }
}

/** Seems to be a promise, until somebody asks. */
const badThenable: object = new Proxy(
  {},
  {
    get: (_, key) => {
      if (key !== "then") return undefined;
      return (): never => {
        throw new Error("thrown in then");
      };
    },
  },
);
