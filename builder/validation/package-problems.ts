import { type Problem, problem } from "../../src/errors.ts";
import { dependenciesOf } from "../policy-libraries.ts";
import { type Sources, startOf } from "./sources.ts";

/** The package.json of a folder, as far as it is one. */
export interface PackageFile {
  /** Undefined when there is none, or when it cannot be read. */
  readonly manifest: Readonly<Record<string, unknown>> | undefined;
  /** Names under `dependencies`. */
  readonly dependencies: readonly string[];
  readonly problems: readonly Problem[];
}

export function readPackage(sources: Sources): PackageFile {
  const text = sources.texts.get("package.json");
  if (text === undefined) return { manifest: undefined, dependencies: [], problems: [] };
  const manifest = parseJson(text);
  if (manifest === undefined) {
    const facts = { detail: "is no JSON object", remedy: "write it as npm reads it" };
    return { manifest, dependencies: [], problems: [problem("policy-package", startOf(sources, "package.json"), facts)] };
  }
  return { manifest, dependencies: dependenciesOf(manifest), problems: [] };
}

function parseJson(text: string): PackageFile["manifest"] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
