/** Values that instances share, beyond their own life: made for the first that asks, let go of after the last. */
import type { PolicyContext } from "@envoy-policy-engine/sdk";
import type { OwnedContext } from "./policy-context.ts";

export interface SharedValues {
  /** Takes a share of the value under this name. `openContext` gives what it is made with, when nobody holds it. What `make` throws is thrown. */
  acquire(name: string, openContext: () => OwnedContext, make: (context: PolicyContext) => unknown): SharedLease;
}

export interface SharedLease {
  readonly value: unknown;
  /** Gives the share back; the last one ends what the value has started. Called once. */
  release(): void;
}

interface Held {
  readonly value: unknown;
  readonly owned: OwnedContext;
  holders: number;
}

export function createSharedValues(): SharedValues {
  const values = new Map<string, Held>();
  return {
    acquire(name, openContext, make) {
      const held = values.get(name) ?? hold(openContext(), make);
      values.set(name, held);
      held.holders += 1;
      return {
        value: held.value,
        release() {
          held.holders -= 1;
          if (held.holders > 0) return;
          values.delete(name);
          held.owned.close();
        },
      };
    },
  };
}

function hold(owned: OwnedContext, make: (context: PolicyContext) => unknown): Held {
  try {
    return { value: make(owned.context), owned, holders: 0 };
  } catch (error) {
    owned.close();
    throw error;
  }
}
