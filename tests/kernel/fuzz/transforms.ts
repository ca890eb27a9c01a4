/** What streamed steps leave behind for a body, and what has come to them and left them. */
import type { BodyPart, BodyTransform, StreamControl } from "@envoy-policy-engine/sdk";
import fc from "fast-check";

const kinds = ["shift", "triple", "double", "hold", "later", "throw", "throw-end", "abort", "abort-later", "hang", "nonsense"] as const;
export type Transforming = (typeof kinds)[number];

export const transforming: fc.Arbitrary<Transforming> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Transforming>("shift", "triple", "double", "hold", "later") },
  { weight: 1, arbitrary: fc.constantFrom(...kinds) },
);

/** One transform of one body. */
export interface Stage {
  readonly took: Uint8Array[];
  readonly gave: Uint8Array[];
  /** Its `end` was called. */
  ended: boolean;
}

export interface TransformWatch {
  readonly faults: string[];
  running: number;
  hangs: boolean;
}

export function watchedTransform(watch: TransformWatch, stage: Stage, kind: Transforming, stream: StreamControl): BodyTransform {
  const held: Uint8Array[] = [];
  const give = (bytes: Uint8Array): Uint8Array => {
    stage.gave.push(bytes.slice());
    return bytes;
  };
  const later = (): Promise<void> => {
    watch.running += 1;
    return new Promise((resolve) => {
      setImmediate(() => {
        watch.running -= 1;
        resolve();
      });
    });
  };
  if (kind === "abort-later") setImmediate(() => stream.abort("later"));
  const chunk = (bytes: Uint8Array): BodyPart => {
    switch (kind) {
      case "shift":
      case "throw-end":
      case "abort-later":
        return give(bytes.map((byte) => byte + 1));
      case "triple":
        return give(bytes.map((byte) => byte * 3));
      case "double":
        return give(Buffer.concat([bytes, bytes]));
      case "hold":
        held.push(bytes);
        return undefined;
      case "later":
        return later().then(() => give(bytes.map((byte) => byte + 2)));
      case "throw":
        throw new Error("thrown in chunk");
      case "abort":
        stream.abort("in chunk");
        return give(bytes);
      case "hang":
        watch.hangs = true;
        return new Promise(() => {});
      case "nonsense":
        return "nonsense" as never;
      default:
        return kind satisfies never;
    }
  };
  return {
    chunk(bytes) {
      if (stage.ended) watch.faults.push("a chunk behind the end");
      stage.took.push(bytes.slice());
      return chunk(bytes);
    },
    end() {
      if (stage.ended) watch.faults.push("an end behind the end");
      stage.ended = true;
      if (kind === "throw-end") throw new Error("thrown in end");
      if (kind === "hold" || kind === "triple")
        return stage.took.length === 0 ? undefined : give(Buffer.concat([...held, Buffer.from("|end")]));
      return undefined;
    },
  };
}
