import type { SharedContext } from "@envoy-policy-engine/sdk";

/** How long requests wait for something that is under way. However many wait, there is one timer: strangers decide how many they are. */
export interface Patience {
  /** What `work` gives, or what `late` gives when that takes too long. `work` does not reject. */
  wait<Value>(work: Promise<Value>, late: () => Value): Promise<Value>;
}

interface Waiting {
  readonly until: number;
  giveUp(): void;
}

export function createPatience(waitMs: number, { now, after }: Pick<SharedContext, "now" | "after">): Patience {
  /** In the order in which they give up, for all wait equally long. */
  const waiting = new Set<Waiting>();
  let watched = false;

  const watch = (): void => {
    const [first] = waiting;
    if (watched || first === undefined) return;
    watched = true;
    after(Math.min(waitMs, Math.max(0, first.until - now())), () => {
      watched = false;
      for (const one of waiting) {
        // Longer than anybody waits: the clock was set back.
        if (one.until > now() && one.until - now() <= waitMs) break;
        waiting.delete(one);
        one.giveUp();
      }
      watch();
    });
  };

  return {
    wait: (work, late) =>
      new Promise((resolve) => {
        const one = { until: now() + waitMs, giveUp: () => resolve(late()) };
        waiting.add(one);
        watch();
        void work.then((value) => {
          waiting.delete(one);
          resolve(value);
        });
      }),
  };
}
