/** Headers along a chain: what is set twice, and what a client could forge. */
import { problem } from "../errors.ts";
import type { CheckedParameters } from "./check-parameters.ts";
import { headerWrites, type WrittenHeader } from "./header-writes.ts";
import type { Place } from "./node.ts";
import { placeAt } from "./parameter-problems.ts";
import { at, type Report } from "./read.ts";
import type { CheckedStep, Direction, PolicyManifest } from "./types.ts";

/** What the steps so far have done to headers for certain. */
export interface HeadersSoFar {
  readonly setters: Readonly<Record<Direction, ReadonlyMap<string, Setter>>>;
  /** Request headers in which nothing is left of what the client sent. */
  readonly cleaned: ReadonlySet<string>;
}

interface Setter {
  readonly step: string;
  readonly place: Place;
}

export const noHeaders: HeadersSoFar = { setters: { request: new Map(), response: new Map() }, cleaned: new Set() };

/** A step, as far as it matters for headers. */
export interface HeaderStep {
  readonly name: string;
  readonly manifest: PolicyManifest;
  readonly parameters: CheckedParameters;
  /** Where the parameters stand. */
  readonly place: Place;
  readonly when: CheckedStep["when"];
  /** Because of what a request may pass the step as if it were not there; undefined when none can. */
  readonly skippedBy: "the step's `when`" | "`onError: skip`" | "`onUpgrade: skip`" | undefined;
}

/** Reports what is wrong with the headers that a step writes after those before it, and returns what the next one finds. */
export function checkHeaders(step: HeaderStep, before: HeadersSoFar, report: Report): HeadersSoFar {
  const { manifest, parameters } = step;
  const request = headerWrites(manifest.headers.request, parameters.value);
  const response = headerWrites(manifest.headers.response, parameters.value);
  const cleaned = new Set([...before.cleaned, ...request.filter((write) => isCertain(write, step)).map(({ header }) => header)]);
  for (const write of request) {
    if (write.kind === "sets" && !cleaned.has(write.header) && tellsIdentity(write, step)) reportForgeable(write, step, report);
  }
  const setters = {
    request: addSetters("request", request, step, before, report),
    response: addSetters("response", response, step, before, report),
  };
  return { setters, cleaned };
}

function isCertain({ keptBy }: WrittenHeader, { skippedBy }: HeaderStep): boolean {
  return keptBy === undefined && skippedBy === undefined;
}

function reportForgeable(write: WrittenHeader, step: HeaderStep, report: Report): void {
  const because = `because of ${step.skippedBy ?? `\`${write.keptBy}\``}`;
  report(problem("identity-forgeable", at(placeAt(step.place, write.pointer)), { header: write.header, because }));
}

/** Every authentication policy writes this record, and what a header gets from it, or because of it, upstreams take for the truth. */
const identity = "metadata.auth";

function tellsIdentity({ holder }: WrittenHeader, { manifest, parameters, when }: HeaderStep): boolean {
  if (Object.hasOwn(manifest.metadata.writes, "auth")) return true;
  const beside = [...parameters.reads].filter(([pointer]) => pointer.startsWith(`${holder}/`)).flatMap(([, reads]) => reads);
  return [...beside, ...(when?.reads ?? [])].some((path) => path === identity || path.startsWith(`${identity}.`));
}

function addSetters(
  direction: Direction,
  writes: readonly WrittenHeader[],
  step: HeaderStep,
  before: HeadersSoFar,
  report: Report,
): ReadonlyMap<string, Setter> {
  const setters = new Map(before.setters[direction]);
  for (const write of writes) {
    if (write.kind !== "sets" || !isCertain(write, step)) continue;
    const place = placeAt(step.place, write.pointer);
    const earlier = before.setters[direction].get(write.header);
    if (earlier !== undefined) {
      const related = [{ message: `\`${earlier.step}\` sets it here`, position: earlier.place.node.position }];
      report(problem("header-overwritten", { ...at(place), related }, { header: write.header, direction, other: earlier.step }));
    }
    // On the response the first step of the chain is the last to run, so that its value stays.
    if (earlier === undefined || direction === "request") setters.set(write.header, { step: step.name, place });
  }
  return setters;
}
