/** Every chain of three steps that take bodies in any way, and what they make of one: no parameters can say it. */
import type { Body, BodyTransform, PolicyInstance } from "@envoy-policy-engine/sdk";
import fc from "fast-check";
import type { PolicyRegistry } from "../../src/config/types.ts";
import { createdPolicies } from "./code-policy.ts";

/** What a step makes of a whole body, and how it does that in pieces. */
interface Shape {
  readonly whole: (body: Buffer) => Buffer;
  readonly transform: () => BodyTransform;
}

const shapes = {
  same: { whole: (body) => body, transform: () => ({ chunk: (bytes) => bytes, end: () => undefined }) },
  upper: { whole: upper, transform: () => ({ chunk: (bytes) => upper(bytes), end: () => new Uint8Array() }) },
  double: { whole: double, transform: () => ({ chunk: (bytes) => double(bytes), end: () => undefined }) },
  drop: {
    whole: (body) => Buffer.from(body.filter((byte) => byte % 3 !== 0)),
    transform: () => ({ chunk: (bytes) => bytes.filter((byte) => byte % 3 !== 0), end: () => undefined }),
  },
  hold: {
    whole: (body) => body,
    transform: () => {
      const held: Uint8Array[] = [];
      return { chunk: (bytes) => void held.push(bytes), end: () => Buffer.concat(held) };
    },
  },
  lag: {
    whole: (body) => body,
    transform: () => {
      let held: Uint8Array = new Uint8Array();
      const lag = (bytes: Uint8Array): Uint8Array => {
        const all = Buffer.concat([held, bytes]);
        held = all.subarray(Math.max(0, all.length - 5));
        return all.subarray(0, Math.max(0, all.length - 5));
      };
      return { chunk: lag, end: () => held };
    },
  },
  suffix: {
    whole: (body) => Buffer.concat([body, Buffer.from("|end")]),
    transform: () => ({ chunk: (bytes) => bytes, end: () => Buffer.from("|end") }),
  },
  /** Gives all that it gives in one buffer of its own, which it writes over with its next call. */
  reuse: {
    whole: (body) => Buffer.concat([upper(body), Buffer.from("|end")]),
    transform: () => {
      let own = Buffer.alloc(64);
      const give = (bytes: Uint8Array): Uint8Array => {
        if (bytes.length > own.length) own = Buffer.alloc(bytes.length * 2);
        own.fill(0x23).set(bytes);
        return own.subarray(0, bytes.length);
      };
      return { chunk: (bytes) => give(upper(bytes)), end: () => give(Buffer.from("|end")) };
    },
  },
  later: {
    whole: upper,
    transform: () => ({ chunk: async (bytes) => upper(bytes), end: async () => undefined }),
  },
} as const satisfies Record<string, Shape>;

type Name = keyof typeof shapes;
const names = Object.keys(shapes) as Name[];

/** How a step's handler of one direction takes the body: not at all, whole, or in pieces. */
const takes = ["none", "buffered", "streamed"] as const;
type Takes = (typeof takes)[number];
type Direction = "request" | "response";

/** What each step makes of the body of each direction, by its place. */
export type Plan = Readonly<Record<Direction, readonly (Name | "passes")[]>>;

const places = 3;
const policyNames = takes.flatMap((request) => takes.map((response) => `${request}-${response}` as const));

/** How many chains of three steps there are. */
export const shapeCount = policyNames.length ** places;

/** Chains by their number, each with a route of its name; their handlers look up what to do with the body of the exchange under way. */
export function chainsOfShapes(
  numbers: readonly number[],
  plan: () => Plan,
): { readonly config: string; readonly policies: PolicyRegistry } {
  const policies = createdPolicies(
    Object.fromEntries(
      policyNames.map((name) => [
        name,
        (_parameters, { step }): PolicyInstance<unknown> => {
          const [request, response] = name.split("-") as [Takes, Takes];
          const shape = (direction: Direction): Name | "passes" => plan()[direction][Number(step.slice(1))] ?? "passes";
          return { request: handler(request, () => shape("request")), response: handler(response, () => shape("response")) };
        },
      ]),
    ),
  );
  const steps = (number: number): string =>
    Array.from({ length: places }, (_, place) => `{ policy: ${policyAt(number, place)}@1.0.0, name: s${place}, timeout: 50s }`).join(", ");
  const config = `version: 1
chains:
${numbers.map((number) => `  ${shapeName(number)}: { steps: [${steps(number)}] }`).join("\n")}
routes: { ${numbers.map((number) => `${shapeName(number)}: ${shapeName(number)}`).join(", ")} }
`;
  return { policies, config };
}

/** Of the chain, and of its route. */
export const shapeName = (number: number): string => `c${number}`;

/** How each of its steps takes the body of a direction. */
export function takesOf(number: number, direction: Direction): readonly Takes[] {
  return Array.from({ length: places }, (_, place) => policyAt(number, place).split("-")[direction === "request" ? 0 : 1] as Takes);
}

/** Something for each step to do, in one direction. */
export const anyActs: fc.Arbitrary<Plan[Direction]> = fc.tuple(
  ...Array.from({ length: places }, () => fc.constantFrom<Name | "passes">(...names, "passes")),
);

const policyAt = (number: number, place: number): (typeof policyNames)[number] =>
  policyNames[Math.floor(number / policyNames.length ** place) % policyNames.length] ?? "none-none";

function handler(how: Takes, shape: () => Name | "passes") {
  switch (how) {
    case "none":
      return () => undefined;
    case "buffered":
      return {
        body: "buffered" as const,
        handle: ({ body }: { readonly body: Body }) => {
          const name = shape();
          if (name !== "passes" && body.bytes !== undefined) body.set(shapes[name].whole(Buffer.from(body.bytes)));
        },
      };
    case "streamed":
      return {
        body: "streamed" as const,
        start: () => {
          const name = shape();
          return name === "passes" ? undefined : shapes[name].transform();
        },
      };
    default:
      return how satisfies never;
  }
}

/** What a chain is to make of a body. */
export function shaped(number: number, direction: Direction, plan: Plan, body: Buffer): Buffer {
  const order = Array.from({ length: places }, (_, place) => place);
  return (direction === "request" ? order : order.reverse()).reduce((bytes, place) => {
    const name = plan[direction][place] ?? "passes";
    return takesOf(number, direction)[place] === "none" || name === "passes" ? bytes : shapes[name].whole(bytes);
  }, body);
}

function upper(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte)));
}

function double(bytes: Uint8Array): Buffer {
  return Buffer.from([...bytes].flatMap((byte) => [byte, byte]));
}
