/** What a generation was made of, as text that survives the process. Secrets stay references. */
import type { SourceDocument } from "../config/types.ts";

export interface SavedState {
  /** Number, content hash and time (milliseconds since the epoch) of the generation. */
  readonly generation: number;
  readonly hash: string;
  readonly since: number;
  readonly sources: readonly SavedSource[];
}

export interface SavedSource {
  /** The provider, and what it reads from. */
  readonly name: string;
  readonly reads: string;
  readonly version: string;
  readonly documents: readonly Pick<SourceDocument, "uri" | "text">[];
  /** Hash of the delivery that somebody has rolled back from. */
  readonly heldBack?: string;
}

/** Whether it was made by exactly these providers from exactly these sources. If not, it may be only a part of the configuration. */
export function isMadeOf(saved: SavedState, providers: readonly { readonly name: string; readonly reads: string }[]): boolean {
  return namesOf(saved.sources) === namesOf(providers);
}

function namesOf(sources: readonly { readonly name: string; readonly reads: string }[]): string {
  return JSON.stringify(sources.map(({ name, reads }) => JSON.stringify([name, reads])).toSorted());
}

export function encodeState(state: SavedState): string {
  return JSON.stringify(state);
}

/** Undefined when the text is no such state. */
export function decodeState(text: string): SavedState | undefined {
  const value = parseJson(text);
  if (!isRecord(value) || !Array.isArray(value.sources)) return undefined;
  const { generation, hash, since } = value;
  const sources = value.sources.map(readSource);
  if (typeof generation !== "number" || typeof hash !== "string" || typeof since !== "number") return undefined;
  if (!sources.every((source) => source !== undefined)) return undefined;
  return { generation, hash, since, sources };
}

function readSource(value: unknown): SavedSource | undefined {
  if (!isRecord(value) || !Array.isArray(value.documents)) return undefined;
  const { name, reads, version, heldBack } = value;
  const documents = value.documents.map(readDocument);
  if (typeof name !== "string" || typeof reads !== "string" || typeof version !== "string") return undefined;
  if (!documents.every((document) => document !== undefined)) return undefined;
  if (heldBack !== undefined && typeof heldBack !== "string") return undefined;
  return { name, reads, version, documents, ...(heldBack === undefined ? {} : { heldBack }) };
}

function readDocument(value: unknown): SavedSource["documents"][number] | undefined {
  if (!isRecord(value) || typeof value.uri !== "string" || typeof value.text !== "string") return undefined;
  return { uri: value.uri, text: value.text };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
