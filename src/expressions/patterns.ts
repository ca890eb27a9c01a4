/**
 * Regular expressions in RE2's syntax, whose matching takes time linear in the subject. The native library does the work; where it could
 * not be built a port in JavaScript takes its place. Both accept the same patterns with the same meaning.
 */
import { isUtf8 } from "node:buffer";
import { createRequire } from "node:module";
import type { Match, Pattern } from "@envoy-policy-engine/sdk";
import { patternInstructionsMax, patternUnitsMax } from "./bounds.ts";
import { literalSearch } from "./literal-pattern.ts";

export interface PatternEngine {
  readonly name: "re2" | "re2js";
  /** Never throws. */
  compile(source: string): { readonly pattern: Pattern } | { readonly problem: PatternProblem };
}

export interface PatternProblem {
  readonly message: string;
  readonly remedy: string;
}

/** What is used of the libraries. Each call throws when the library is not installed. */
export interface PatternLibraries {
  re2(): new (source: string, flags: string) => NativePattern;
  re2js(): { compile(source: string): PortPattern };
}

interface NativePattern {
  lastIndex: number;
  test(subject: Uint8Array): boolean;
  exec(subject: Uint8Array): { readonly index: number; readonly 0: Uint8Array } | null;
}

interface PortPattern {
  programSize(): number;
  test(subject: Uint8Array): boolean;
  matcher(subject: Uint8Array): { find(from: number): boolean; start(): number; end(): number };
}

/** The native engine, or the port with a warning that says what is missed. Throws when neither is installed. */
export function loadPatternEngine(libraries: PatternLibraries = installedLibraries()): {
  readonly engine: PatternEngine;
  readonly warning?: string;
} {
  try {
    const Re2 = libraries.re2();
    return {
      engine: engineOf("re2", (source) => nativeSearch(new Re2(source, "gu"))),
    };
  } catch (error) {
    const library = libraries.re2js();
    return {
      engine: engineOf("re2js", (source) => {
        const compiled = library.compile(source);
        if (compiled.programSize() > patternInstructionsMax) throw new Error("pattern too large");
        return portSearch(compiled);
      }),
      warning: fallbackWarning(error),
    };
  }
}

export function installedLibraries(): PatternLibraries {
  const require = createRequire(import.meta.url);
  return { re2: () => require("re2"), re2js: () => require("re2js").RE2JS };
}

function fallbackWarning(error: unknown): string {
  const [cause] = (error instanceof Error ? error.message : String(error)).split("\n");
  return [
    "THE NATIVE RE2 LIBRARY IS NOT AVAILABLE: patterns run on re2js, which is 3 to 10 times slower on short texts and far slower on long ones.",
    "To build it, install python3, make and a C++ compiler, then run `npm run setup`.",
    `Cause: ${cause}`,
  ].join(" ");
}

/** A pattern over UTF-8 bytes. */
interface Search {
  test(subject: Uint8Array): boolean;
  find(subject: Uint8Array, from: number): Match | undefined;
}

function nativeSearch(compiled: NativePattern): Search {
  return {
    test(subject) {
      compiled.lastIndex = 0;
      return compiled.test(subject);
    },
    find(subject, from) {
      compiled.lastIndex = from;
      const match = compiled.exec(subject);
      return match === null ? undefined : { start: match.index, end: match.index + match[0].length };
    },
  };
}

function portSearch(compiled: PortPattern): Search {
  return {
    test: (subject) => compiled.test(subject),
    find(subject, from) {
      const matcher = compiled.matcher(subject);
      return matcher.find(from) ? { start: matcher.start(), end: matcher.end() } : undefined;
    },
  };
}

/** @param compile throws when the pattern is not valid */
function engineOf(name: PatternEngine["name"], compile: (source: string) => Search): PatternEngine {
  return {
    name,
    compile(source) {
      if (source.length > patternUnitsMax) {
        return {
          problem: { message: `the pattern has more than ${patternUnitsMax} characters`, remedy: "shorten it, or split it into several" },
        };
      }
      const foreign = foreignEscape(source);
      if (foreign !== undefined) return { problem: invalid(source, `invalid escape sequence: ${foreign}`) };
      const literal = literalSearch(source);
      if (literal !== undefined) {
        const { test, find } = literal;
        return { pattern: { source, find, test: (subject) => test(typeof subject === "string" ? subject : latin1Of(subject)) } };
      }
      try {
        const { test, find } = compile(source);
        // A Buffer: the native library takes a string ten times slower, because it converts and pins each one.
        return { pattern: { source, find, test: (subject) => test(typeof subject === "string" ? Buffer.from(subject) : utf8Of(subject)) } };
      } catch (error) {
        return { problem: invalid(source, error instanceof Error ? error.message : String(error)) };
      }
    },
  };
}

/** Bytes are text: UTF-8 where they are valid, else latin1, as in the SDK's headers. */
function utf8Of(bytes: Uint8Array): Uint8Array {
  return isUtf8(bytes) ? bytes : Buffer.from(latin1Of(bytes));
}

/** One character for each byte, which is as good as decoding when only ASCII is looked for. */
function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** An escape that only one of the libraries knows: JavaScript's `\u` and `\c`, which re2 translates, and `\C`, a single byte. */
function foreignEscape(source: string): string | undefined {
  const tokens = source.match(/\\Q[\s\S]*?(?:\\E|$)|\\[\s\S]/g) ?? [];
  return tokens.find((token) => token === "\\u" || token === "\\c" || token === "\\C");
}

function invalid(source: string, libraryMessage: string): PatternProblem {
  const detail = inWordsOfRe2(libraryMessage);
  return { message: `not a regular expression in RE2's syntax: ${detail}`, remedy: remedyFor(source, detail) };
}

/** One wording whichever library found the fault. */
function inWordsOfRe2(message: string): string {
  if (message.startsWith("pattern too large")) return "pattern too large";
  const [, kind = message, rest = ""] = /^error parsing regexp: ([^:]+)(?:: `([\s\S]*)`)?$/.exec(message) ?? [];
  if (kind === message) return message;
  const word = wordsOfRe2[kind] ?? kind;
  return rest === "" ? word : `${word}: ${rest}`;
}

const wordsOfRe2: Readonly<Record<string, string>> = {
  "invalid or unsupported Perl syntax": "invalid perl operator",
  "invalid nested repetition operator": "bad repetition operator",
  "invalid repeat count": "invalid repetition size",
  "missing argument to repetition operator": "no argument for repetition operator",
  "missing closing ]": "missing ]",
  "missing closing )": "missing )",
  "trailing backslash at end of expression": "trailing \\",
  "invalid named capture": "invalid named capture group",
  "expression too large": "pattern too large",
};

function remedyFor(source: string, detail: string): string {
  if (/\(\?(?:[=!]|<[=!])/.test(source) && detail.startsWith("invalid perl operator")) {
    return "RE2 has no lookahead or lookbehind: state the conditions as two patterns";
  }
  if (/^invalid escape sequence: \\[1-9]/.test(detail)) return "RE2 has no backreferences: write the text out, or compare in two steps";
  if (detail.startsWith("invalid escape sequence: \\u")) return "write the character itself, or its code as in `\\x{1F600}`";
  if (detail.startsWith("pattern too large")) return "repeat fewer times, or use smaller classes than `\\pL`";
  if (detail.startsWith("invalid repetition size")) return "repeat at most 1000 times";
  return "correct the pattern; its syntax is at https://github.com/google/re2/wiki/Syntax";
}
