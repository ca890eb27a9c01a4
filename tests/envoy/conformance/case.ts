/** The conformance cases as data: what Envoy's side is, what a client sends, and what client, upstream and engine then have seen. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Data } from "../../../scripts/processes/data.ts";
import type { EnvoyPromises, PolicyRegistry } from "../../../src/config/types.ts";
import { scriptPolicies } from "../../support/script-policy.ts";

/** An Envoy with the engine that it asks. */
export interface Setting {
  /** What the engine is told about Envoy, over the defaults of this file. */
  readonly promises?: Partial<PlainPromises>;
  /** What Envoy is told of the shared metadata. Default: nothing is told. */
  readonly metadata?: readonly string[];
  /**
   * `asked`: no route says which bodies Envoy sends, the engine asks for them; `printed`: each route says it, as `policy-engine envoy` prints
   * it. Default `asked`.
   */
  readonly modes?: "asked" | "printed";
  /** What the upstream speaks. Default HTTP/1.1. */
  readonly upstream?: "http1" | "http2";
  /** What routes match in place of the printed, by their names. */
  readonly matches?: Readonly<Record<string, Data>>;
  /** Further changes of the printed configuration: a place below the connection manager or the ext_proc filter, and what stands there. */
  readonly manager?: Readonly<Record<string, Data>>;
  readonly filter?: Readonly<Record<string, Data>>;
}

export type Protocol = "http1" | "http2";

/** One thing after the headers. */
export type Piece =
  /** Bytes of the body; `hex:` in front of bytes. In HTTP/1 a chunk where the headers say `transfer-encoding: chunked`. */
  | { readonly send: string }
  /** As many bytes `x`. */
  | { readonly fill: number }
  | { readonly waitMs: number }
  | { readonly trailers: Readonly<Record<string, string>> }
  /** Whoever sends is gone, with its message unfinished. */
  | "leave";

export type AnswerPiece =
  | Exclude<Piece, { readonly trailers: unknown }>
  /** What follows waits for the end of the request. */
  | "request-end";

export interface Stimulus {
  /** Default: both. */
  readonly over?: Protocol;
  /** Method and path. The path's first segment is the route. */
  readonly request: string;
  /** Nothing is added but `host`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | readonly Piece[];
  /** What does not end: the request, as when connections are upgraded, and then the answer; or the answer alone. It counts when nothing more comes. */
  readonly endless?: "request" | "answer";
}

/** What the upstream does with the request. */
export interface UpstreamScript {
  /** The raw answer. Default: a 200 with the body `ok`. */
  readonly answer?: string | readonly AnswerPiece[];
  /** When: at the end of the request (default), or as soon as its headers are there. */
  readonly at?: "end" | "headers";
  /** After the answer: everything that comes is sent back, as over an upgraded connection. */
  readonly echo?: true;
}

export interface Expected {
  readonly client: {
    /** `gone`: there was no answer. */
    readonly status: number | "gone";
    /** All the values of each; an empty list says that it is absent. */
    readonly headers?: Readonly<Record<string, string | readonly string[]>>;
    readonly body?: string;
    readonly trailers?: Readonly<Record<string, string>>;
    /** Default: whole. */
    readonly ended?: "whole" | "cut";
  };
  readonly upstream: {
    /** How many requests it got, as it understands the bytes. */
    readonly hits: number;
    /** The request line as it came. */
    readonly line?: string;
    readonly headers?: Readonly<Record<string, string | readonly string[]>>;
    /** Every byte after the request's headers, as it came over the wire. */
    readonly raw?: string;
    /** In place of `raw` where it is long. */
    readonly rawBytes?: number;
  };
  readonly engine: {
    /** Every message in order, ` …` behind headers and bodies that are not the end. Default: none was seen. */
    readonly saw: readonly string[];
    /** The code of its reply; absent when it did not reply. */
    readonly replied?: string;
    /** How each stream ended. Default `ok`. */
    readonly ended?: "ok" | "unavailable" | "internal" | "gone";
  };
}

export interface Run {
  readonly name: string;
  /** Names of settings. Default: `asked` and `printed`. */
  readonly on?: readonly string[];
  /** Why it is not run in process as well, with a simulated Envoy. */
  readonly envoyOnly?: string;
  readonly client: Stimulus;
  readonly upstream?: UpstreamScript;
  readonly expect: Expected;
}

export type Held =
  | { readonly run: readonly Run[] }
  /** A test of its own holds it: a file, and words of the test in it. */
  | { readonly test: { readonly file: string; readonly says: string } }
  /** True of every answer in every run, and looked for there. */
  | { readonly always: string }
  | { readonly unrunnable: string };

export type Case = { readonly number: number; readonly fact: string } & Held;

type PlainPromises = Omit<EnvoyPromises, "metadata">;

export const promised: PlainPromises = {
  identity: "both",
  allowModeOverride: true,
  responseHeaders: "skipped",
  messageTimeoutMs: 10_000,
  bodyBytesMax: 256 * 1024,
};

const usualSettings = ["asked", "printed"];

/** What engines are configured with. */
export interface Chains {
  readonly config: string;
  readonly policies: PolicyRegistry;
}

/** `chains.yaml`. */
export function conformanceChains(): Chains {
  return { config: textOf("chains.yaml"), policies: scriptPolicies };
}

export function settings(): Readonly<Record<string, Setting>> {
  return parse(textOf("settings.yaml"));
}

/** The cases of the facts, by number. */
export function cases(): readonly Case[] {
  return parse(textOf("cases.yaml"));
}

/** Runs that stand for no number: what the facts say in other places, and what the engine promises beyond them. */
export function furtherRuns(): readonly Run[] {
  return parse(textOf("further.yaml"));
}

/** Every run on a setting, once for each protocol, with a title that no other has. */
export function runsOn(setting: string): readonly { readonly title: string; readonly run: Run; readonly protocol: Protocol }[] {
  const numbered = cases().flatMap((one) => ("run" in one ? one.run.map((run) => ({ title: `${one.number} ${run.name}`, run })) : []));
  return [...numbered, ...furtherRuns().map((run) => ({ title: run.name, run }))]
    .filter(({ run }) => (run.on ?? usualSettings).includes(setting))
    .flatMap(({ title, run }) =>
      (run.client.over === undefined ? (["http1", "http2"] as const) : [run.client.over]).map((protocol) => ({
        title: `${title} (${protocol})`,
        run,
        protocol,
      })),
    );
}

const textOf = (file: string): string => readFileSync(join(import.meta.dirname, file), "utf8");
