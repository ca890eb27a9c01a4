import { readFileSync, statSync } from "node:fs";
import { secretForms } from "../config/secret-forms.ts";
import type { SecretReference } from "../config/types.ts";

const secretBytesMax = 64 * 1024;
/** Shorter values would redact parts of ordinary words. */
const redactedLengthMin = 4;
/** Secrets are rotated while the process runs; what was not read for this many others is in no text any more. */
const rememberedMax = 10_000;

/** Reads secret references and remembers what they were, so that no text that leaves the engine holds one. */
export interface Secrets {
  read(reference: SecretReference): { readonly value: string } | { readonly missing: string };
  /** Files read so far: to be watched. */
  files(): readonly string[];
  /** The text with every secret value that was read replaced, also where it was written into JSON or an address. */
  redact(text: string): string;
}

/** @param environment the process's variables, passed in because only `main` and `cli` read them */
export function createSecrets(environment: Readonly<Record<string, string | undefined>>): Secrets {
  const files = new Set<string>();
  const values = new Set<string>();
  /** A secret may be the beginning of another one. */
  let longestFirst: readonly string[] | undefined;

  const remember = (value: string): { readonly value: string } => {
    const line = value.replace(/\r?\n$/, "");
    if (line.length < redactedLengthMin) return { value };
    longestFirst = undefined;
    values.delete(line);
    values.add(line);
    const [oldest] = values;
    if (values.size > rememberedMax && oldest !== undefined) values.delete(oldest);
    return { value };
  };

  return {
    read({ kind, name }) {
      switch (kind) {
        case "env": {
          const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
          return value === undefined ? { missing: "the variable is not set" } : remember(value);
        }
        case "file": {
          files.add(name);
          try {
            const stats = statSync(name);
            if (!stats.isFile()) return { missing: "the path is no file" };
            if (stats.size > secretBytesMax) return { missing: `the file is larger than ${secretBytesMax} bytes` };
            return remember(readFileSync(name, "utf8"));
          } catch (error) {
            return {
              missing: `the file cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : "unknown error"}`,
            };
          }
        }
        default:
          return kind satisfies never;
      }
    },
    files: () => [...files],
    redact(text) {
      let redacted = text;
      longestFirst ??= [...values].flatMap(secretForms).sort((one, other) => other.length - one.length);
      for (const value of longestFirst) redacted = redacted.replaceAll(value, "[redacted]");
      return redacted;
    },
  };
}
