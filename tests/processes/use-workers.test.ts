/** What the parent makes of what its workers say. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { formatProblems } from "../../src/config/problems.ts";
import type { Fleet, Transacted } from "../../src/processes/fleet.ts";
import { noCounts } from "../../src/processes/sum-counts.ts";
import { useWorkers } from "../../src/processes/use-workers.ts";
import { testCheckEnvironment } from "../../src/testing/test-engine.ts";
import { expectGolden } from "../config/goldens.ts";
import { stamping } from "../support/configured-engine.ts";
import { scriptPolicies } from "../support/script-policy.ts";

type Proposal = Parameters<Fleet["transact"]>[0];

const failed: Transacted = { kind: "failed", detail: "these workers have died or hung over it: 0, 1" };
const committed: Transacted = { kind: "committed", warnings: [] };

/** Workers that say this, one time after the other. */
function workers(...answers: readonly Transacted[]) {
  const proposals: Proposal[] = [];
  const fleet: Pick<Fleet, "transact" | "counts"> = {
    transact: async (proposal) => {
      proposals.push(proposal);
      return answers[proposals.length - 1] ?? failed;
    },
    counts: () => noCounts,
  };
  const { reloader, generations, statistics } = useWorkers(fleet, testCheckEnvironment(scriptPolicies, {}), () => 0)(6);
  const origin = { provider: "file", precedence: 0, mayUseSecret: () => true };
  return { apply: (text: string) => reloader.apply([{ uri: "policies.yaml", text, origin }]), proposals, generations, statistics };
}

test("what all workers take is in use, under the number after the last one", async () => {
  const { apply, proposals, generations } = workers(committed, committed);
  expect(await apply(stamping("a"))).toMatchObject({ kind: "accepted", generation: 7 });
  expect(await apply(stamping("b"))).toMatchObject({ kind: "accepted", generation: 8 });
  expect(generations.current()?.number).toBe(8);
  expect(proposals.map(({ generation, documents }) => [generation, documents])).toEqual([
    [7, [{ uri: "policies.yaml", text: stamping("a"), provider: "file" }]],
    [8, [{ uri: "policies.yaml", text: stamping("b"), provider: "file" }]],
  ]);
});

test("what is wrong, or in use already, is told to no worker", async () => {
  const { apply, proposals } = workers(committed);
  expect(await apply("version: 2\n")).toMatchObject({ kind: "refused" });
  await apply(stamping("a"));
  expect(await apply(stamping("a"))).toEqual({ kind: "unchanged", generation: 7 });
  expect(proposals).toHaveLength(1);
});

test("it is tried once more, and no number is lost", async () => {
  const { apply, proposals } = workers(failed, committed);
  expect(await apply(stamping("a"))).toMatchObject({ kind: "accepted", generation: 7 });
  expect(proposals.map(({ generation }) => generation)).toEqual([7, 7]);
});

test("what fails twice is refused, and what is in use stays", async () => {
  const { apply, generations } = workers(committed, failed, failed, committed);
  await apply(stamping("a"));
  const verdict = await apply(stamping("b"));
  if (verdict.kind !== "refused") throw new Error(`it was ${verdict.kind}`);
  expectGolden(fileURLToPath(new URL("workers-failed.golden.txt", import.meta.url)), `${formatProblems(verdict.problems)}\n`);
  expect(generations.current()?.number).toBe(7);
  expect(await apply(stamping("b"))).toMatchObject({ kind: "accepted", generation: 8 });
});

test("chains of which no worker has told yet have done nothing", async () => {
  const { apply, statistics } = workers(committed);
  expect(statistics("file", null, [])).toBeUndefined();
  await apply(stamping("a"));
  expect(statistics("file", null, [])?.chains).toMatchObject([{ chain: "orders", exchanges: 0, steps: [{ step: "script", runs: 0 }] }]);
});
