import type { Where } from "../src/errors.ts";
import type { LaidOutPolicy } from "./lay-out-policies.ts";

/** A file of a policy, as whoever wrote it knows it. */
export interface OriginalFile {
  readonly policy: LaidOutPolicy;
  readonly uri: string;
}

/** `policies/geo/v1.2.3/index.ts` in the build's folder -> the file that it is a copy of. Undefined when it is no policy's. */
export function originalOf(path: string, policies: readonly LaidOutPolicy[]): OriginalFile | undefined {
  const policy = policies.find(({ folder }) => path.startsWith(`${folder}/`));
  return policy && { policy, uri: `${policy.original.source}${path.slice(policy.folder.length)}` };
}

/** Where a tool has found something: lines and columns count from 1. */
export function placeIn(path: string, line: number, column: number, policies: readonly LaidOutPolicy[]): Where {
  return { position: { uri: originalOf(path, policies)?.uri ?? path, line, column }, path: "" };
}

export function policyName({ manifest: { name, version } }: Pick<LaidOutPolicy, "manifest">): string {
  return `${name}@${version}`;
}
