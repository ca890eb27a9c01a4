import type { BodyTransform, ReadonlyHeaders, Reply, StreamControl } from "@envoy-policy-engine/sdk";
import { type BodyEditor, BodyFault, editing } from "@envoy-policy-engine/streams/editor";
import { bodyKind } from "./body-kind.ts";
import { bodyEditors } from "./mask-body.ts";
import type { Direction } from "./parameters.ts";
import { bindRules } from "./rules.ts";

/** What the headers of a message say about its body. */
export interface BodyFacts {
  readonly contentTypes: readonly string[];
  /** `possible`: the headers do not tell. */
  readonly presence: "sure" | "possible" | "none";
  /** Whether it is all of the content or a part of it. */
  readonly extent: "whole" | "part";
}

/** What is answered in place of a body that cannot be masked. */
export interface Refusals {
  readonly unmaskable: Reply;
  readonly partial: Reply;
}

export type MaskBody = (body: BodyFacts, stream: StreamControl) => Reply | BodyTransform | undefined;

/** @throws Error when a rule cannot be what it says */
export function bindDirection({ rules, otherContent, heldBytesMax }: Direction, { unmaskable, partial }: Refusals): MaskBody {
  const bound = bindRules(rules);
  return ({ contentTypes, presence, extent }, stream) => {
    if (presence === "none") return undefined;
    const kind = bodyKind(contentTypes);
    if (kind !== undefined && (kind !== "text" || bound.texts.length > 0)) {
      return extent === "part" ? partial : editing(stream, ...bodyEditors(kind, bound, heldBytesMax));
    }
    if (otherContent === "pass") return undefined;
    return presence === "sure" ? unmaskable : editing(stream, refusingEditor);
  };
}

/** Whether there is a body, by what frames it (RFC 9112 6). */
export function presenceOf(headers: ReadonlyHeaders): BodyFacts["presence"] {
  const length = headers.get("content-length");
  if (length !== undefined) return Number(length) === 0 ? "none" : "sure";
  return headers.has("transfer-encoding") ? "sure" : "possible";
}

const refusingEditor: BodyEditor = {
  chunk() {
    throw new BodyFault("the body cannot be masked: its content type or character set is not known");
  },
  end: () => undefined,
};
