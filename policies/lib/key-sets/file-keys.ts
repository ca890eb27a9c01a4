import type { KeySet, KeySetContext } from "./key-set.ts";
import { parseKeyTable } from "./key-table.ts";

/** The keys in a file, which is watched: a broken new state is logged and the last good one stays. Throws when it cannot be used now. */
export async function openFileKeys(path: string, context: KeySetContext): Promise<KeySet> {
  /** Changes from before the first state was read. */
  const early: Uint8Array[] = [];
  let take = (content: Uint8Array): void => void early.push(content);
  const first = await context.file(path, (content) => take(content));
  let table = await firstTable(path, first);
  let readAt = context.now();
  let fault: string | undefined;
  let latest = 0;
  const logIgnored = (): void => {
    if (table.ignored.length > 0) context.log.warn({ path, ignored: table.ignored }, "keys of the key set are not used");
  };
  logIgnored();
  take = (content) => {
    latest += 1;
    const turn = latest;
    parseKeyTable(Buffer.from(content).toString("utf8"), table).then(
      (next) => {
        // An older state that took longer to read must not replace a newer one.
        if (turn !== latest) return;
        table = next;
        readAt = context.now();
        fault = undefined;
        logIgnored();
      },
      (error: Error) => {
        if (turn !== latest) return;
        fault = error.message;
        context.log.error({ path, err: error }, "the changed key set cannot be used: the last good one stays");
      },
    );
  };
  early.forEach(take);
  return {
    lookUp(wanted) {
      const keys = table.find(wanted);
      return keys.length > 0 ? { kind: "found", keys } : { kind: "unknown", reason: "no key of the file fits" };
    },
    holds: (key) => table.holds(key),
    health: () => ({
      ready: true,
      detail: `${table.size} keys, from a file${fault === undefined ? "" : `; its last change cannot be used: ${fault}`}`,
      ageSeconds: Math.max(0, (context.now() - readAt) / 1000),
    }),
  };
}

async function firstTable(path: string, content: Uint8Array) {
  try {
    return await parseKeyTable(Buffer.from(content).toString("utf8"));
  } catch (error) {
    throw new Error(`\`jwks.file\` (${path}): ${error instanceof Error ? error.message : String(error)}`);
  }
}
