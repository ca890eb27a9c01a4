import type { BodyTransform, Reply, StreamControl } from "@envoy-policy-engine/sdk";
import { type BodyEditor, BodyFault, editing } from "@envoy-policy-engine/streams/editor";
import type { BodyFacts } from "./body-facts.ts";
import { bodyKind } from "./body-kind.ts";
import { bodyEditors } from "./mask-body.ts";
import type { Direction } from "./parameters.ts";
import { bindRules } from "./rules.ts";

/** What is answered in place of a body that cannot be masked. */
export interface Refusals {
  readonly unmaskable: Reply;
  readonly partial: Reply;
}

export type MaskBody = (body: BodyFacts, stream: StreamControl) => Reply | BodyTransform | undefined;

/** @throws Error when a rule cannot be what it says. @param path of the direction in the parameters */
export function bindDirection(direction: Direction, path: string, { unmaskable, partial }: Refusals): MaskBody {
  const { otherContent, heldBytesMax } = direction;
  const bound = bindRules(direction.rules, `${path}.rules`);
  return ({ contentTypes, presence, extent }, stream) => {
    if (extent === "parts") return partial;
    const kind = bodyKind(contentTypes);
    if (kind !== undefined && (kind !== "text" || bound.texts.length > 0)) {
      return extent === "part" ? partial : editing(stream, ...bodyEditors(kind, bound, heldBytesMax));
    }
    if (otherContent === "pass") return undefined;
    return presence === "sure" ? unmaskable : editing(stream, refusingEditor);
  };
}

const refusingEditor: BodyEditor = {
  chunk() {
    throw new BodyFault("the body cannot be masked: its content type or character set is not known");
  },
  end: () => undefined,
};
