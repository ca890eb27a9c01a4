/** Replaces what a file and a control plane deliver, again and again, one time in three by something broken. */
import { rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { resourceOf } from "../../../scripts/xds/resource-of.ts";
import type { XdsServer } from "../../../scripts/xds/start-xds-server.ts";
import { configurationType } from "../../../src/providers/xds-document.ts";
import { byRename, bySymlinkSwap, inPlace } from "../../support/replace-file.ts";
import { brokenDocuments, brokenFiles, goodText } from "./configurations.ts";

export interface ChaosWriter {
  /** How often something was replaced, and how often of it by something broken. */
  readonly counts: { readonly all: number; readonly broken: number };
  /** For so long, as often as planned. */
  storm(durationMs: number): Promise<void>;
  /** Puts a good configuration in each place; returns their stamps. */
  settle(): Promise<readonly [file: string, xds: string]>;
}

/** @param perSecond how often, both places together */
export function createChaosWriter(file: string, xds: XdsServer, perSecond: number): ChaosWriter {
  const counts = { all: 0, broken: 0 };
  const fileWays = inTurn([inPlace, byRename, bySymlinkSwap]);
  const fileBreakages = inTurn([...brokenDocuments, ...brokenFiles]);
  const documentBreakages = inTurn(brokenDocuments);
  let number = 0;

  return {
    counts,
    async storm(durationMs) {
      const started = performance.now();
      for (let tick = 0; performance.now() - started < durationMs; tick++) {
        const isBroken = Math.floor(tick / 2) % 3 === 2;
        counts.all += 1;
        if (isBroken) counts.broken += 1;
        number += 1;
        if (tick % 2 === 0) await (isBroken ? breakFile() : replaceFile());
        else publish(isBroken ? "broken" : "good");
        await sleep(Math.max(0, started + ((tick + 1) * 1000) / perSecond - performance.now()));
      }
    },
    async settle() {
      number += 1;
      counts.all += 2;
      return [await replaceFile(), publish("good")];
    },
  };

  async function replaceFile(): Promise<string> {
    const stamp = `orders-good-${number}`;
    await fileWays.next()(file, goodText("orders", stamp));
    return stamp;
  }

  async function breakFile(): Promise<void> {
    const breakage = fileBreakages.next();
    if (breakage === undefined) await rm(file, { force: true });
    else await writeFile(file, breakage.spoil(goodText("orders", `orders-bad-${number}`), "reports"));
  }

  /** The version is the stamp. */
  function publish(kind: "good" | "broken"): string {
    const stamp = `reports-${kind === "good" ? "good" : "bad"}-${number}`;
    const good = goodText("reports", stamp);
    const text = kind === "good" ? good : String(documentBreakages.next().spoil(good, "orders"));
    const resources = [{ typeUrl: configurationType, value: resourceOf("reports", text) }];
    xds.publish({ version: stamp, typeUrl: configurationType, resources });
    return stamp;
  }
}

/** One after the other, round and round: each in its turn, however the others fall. */
function inTurn<Item>(items: readonly [Item, ...Item[]]): { next(): Item } {
  let turn = 0;
  return { next: () => items[turn++ % items.length] ?? items[0] };
}
