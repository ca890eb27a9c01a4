import { expect, test } from "vitest";
import { createOverloadGuard } from "../../src/engine/overload-guard.ts";
import { createLog } from "../../src/observe/log.ts";

const loopDelayMs = 1_000;
const tickMs = 100;

/** `tick`: the timer fires so much too late. `ask`: an exchange comes when the timer is so much overdue; what it hears. */
type Moment = readonly ["tick", number] | readonly ["ask", number, "taken" | "refused"];

const cases: readonly (readonly [name: string, moments: readonly Moment[]])[] = [
  [
    "a loop that keeps up takes everything",
    [
      ["ask", 0, "taken"],
      ["tick", 3],
      ["ask", 999, "taken"],
    ],
  ],
  [
    "an exchange that waited behind others is refused, and those after it",
    [
      ["ask", 1_001, "refused"],
      ["ask", 1_500, "refused"],
      ["tick", 1_600],
      ["ask", 0, "refused"],
    ],
  ],
  [
    "being late once refuses nobody",
    [
      ["tick", 5_000],
      ["ask", 0, "taken"],
      ["tick", 0],
      ["tick", 5_000],
      ["ask", 0, "taken"],
    ],
  ],
  [
    "being late twice in a row does",
    [
      ["tick", 1_001],
      ["tick", 1_001],
      ["ask", 0, "refused"],
    ],
  ],
  [
    "it ends after three calm ticks in a row and not before",
    [
      ["ask", 2_000, "refused"],
      ["tick", 0],
      ["tick", 500],
      ["ask", 0, "refused"],
      ["tick", 501],
      ["tick", 0],
      ["tick", 0],
      ["ask", 0, "refused"],
      ["tick", 0],
      ["ask", 0, "taken"],
    ],
  ],
];

test.each(cases)("%s", (_, moments) => {
  const { guard, at, tick } = guarded();
  const heard = moments.flatMap(([kind, behindMs]) => {
    at(behindMs);
    if (kind === "ask") return [guard.refuses() ? "refused" : "taken"];
    tick();
    return [];
  });
  expect(heard).toEqual(moments.flatMap(([, , answer]) => answer ?? []));
});

test("each episode is logged when it begins and when it ends, and counted", () => {
  const { guard, at, tick, lines } = guarded();
  for (let episode = 0; episode < 2; episode++) {
    at(1_500);
    for (let exchange = 0; exchange < 10; exchange++) guard.refuses();
    tick();
    for (let calm = 0; calm < 3; calm++) {
      at(0);
      tick();
    }
  }
  expect(lines.map(({ level, refused, code }) => [level, refused ?? code])).toEqual([
    ["error", "overloaded"],
    ["warn", 10],
    ["error", "overloaded"],
    ["warn", 10],
  ]);
  const values = guard
    .families()
    .map((family) => [family.name, family.type === "histogram" ? [] : family.samples.map(({ value }) => value)]);
  expect(Object.fromEntries(values)).toEqual({
    policy_engine_overloaded: [0],
    policy_engine_overloads_total: [2],
  });
});

function guarded() {
  let nowMs = 0;
  let dueMs = tickMs;
  let fire = (): void => {};
  const lines: Readonly<Record<string, unknown>>[] = [];
  const guard = createOverloadGuard({
    loopDelayMs,
    log: createLog({ level: "debug", redact: (text) => text, destination: { write: (line) => void lines.push(JSON.parse(line)) } }),
    monotonicMs: () => nowMs,
    startTimer(milliseconds, expired) {
      dueMs = nowMs + milliseconds;
      fire = expired;
      return () => {};
    },
  });
  return {
    guard,
    lines,
    /** The timer is so much overdue. */
    at: (behindMs: number) => {
      nowMs = dueMs + behindMs;
    },
    tick: () => fire(),
  };
}
