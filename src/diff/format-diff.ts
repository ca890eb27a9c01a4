/** A diff for people. */
import { sizeText } from "../config/quantities.ts";
import type { ShownRoute } from "../config/shown-config.ts";
import { visibleText } from "../config/visible-text.ts";
import type { ChainChange } from "./diff-chains.ts";
import type { ConfigDiff, RouteChange, UnmatchedChange } from "./diff-configs.ts";
import type { EnvoyChange } from "./diff-envoy.ts";
import type { ProtectionChange, ProtectionLoss } from "./diff-protection.ts";
import type { StepChange } from "./diff-steps.ts";
import type { ValueChange } from "./diff-values.ts";

/** Sections in the order in which they matter; empty text for no difference. `+` is new, `-` is gone, `~` has changed, `>` has moved. */
export function formatDiff({ protection, routes, unmatched, chains, envoy }: ConfigDiff): string {
  const sections = [
    section("Protection that is gone or weaker", protection.map(protectionLine)),
    section("Routes", [...routes.map(routeLine), ...unmatched.map(unmatchedLine)]),
    section("Chains", chains.flatMap(chainLines)),
    section("Envoy must change", envoy.flatMap(envoyLines)),
  ];
  return sections.filter((text) => text !== "").join("\n");
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : [`${title}:`, ...lines.map((line) => `  ${visibleText(line)}`), ""].join("\n");
}

function protectionLine({ loss, routes }: ProtectionChange): string {
  return `! ${routes === undefined ? "routes that are not listed" : listed("route", routes)}: ${lossText(loss)}`;
}

function lossText(loss: ProtectionLoss): string {
  switch (loss.kind) {
    case "removed":
      return `\`${loss.policy}\` (step \`${loss.step}\`) is gone`;
    case "condition":
      return `\`${loss.policy}\` (step \`${loss.step}\`) runs only when ${loss.to}${loss.from === undefined ? "" : `, not when ${loss.from}`}`;
    case "skip":
      return `\`${loss.policy}\` (step \`${loss.step}\`) may be passed over: ${loss.setting}: skip`;
    case "opened":
      return `were denied, now ${loss.to === "pass" ? "pass" : `go to the chain \`${loss.to}\``}`;
    default:
      return loss satisfies never;
  }
}

function routeLine(change: RouteChange): string {
  switch (change.kind) {
    case "added":
      return `+ ${change.route} -> ${target(change.to)}`;
    case "removed":
      return `- ${change.route} -> ${target(change.from)}`;
    case "changed":
      return `~ ${change.route} -> ${target(change.to)} (before: ${target(change.from)})`;
    default:
      return change satisfies never;
  }
}

function target(route: ShownRoute): string {
  return typeof route === "string" ? route : "[]";
}

function unmatchedLine({ from, to }: UnmatchedChange): string {
  return `~ unmatched: ${to} (before: ${from})`;
}

function chainLines(change: ChainChange): readonly string[] {
  switch (change.kind) {
    case "added":
    case "removed": {
      const steps = change.definition.steps.map(({ name, policy }) => `${name} (${policy})`);
      return [`${change.kind === "added" ? "+" : "-"} ${change.chain}: ${steps.length === 0 ? "no steps" : steps.join(", ")}`];
    }
    case "changed": {
      const lines = [...change.changes.map(valueLine), ...change.steps.flatMap(stepLines)];
      return [`~ ${change.chain}`, ...lines.map((line) => `    ${line}`)];
    }
    default:
      return change satisfies never;
  }
}

function stepLines(change: StepChange): readonly string[] {
  switch (change.kind) {
    case "added":
      return [`+ ${change.step} (${change.definition.policy}), ${position(change.after)}`];
    case "removed":
      return [`- ${change.step} (${change.definition.policy})`];
    case "moved":
      return [`> ${change.step}, ${position(change.after)}`];
    case "changed":
      return [`~ ${change.step}`, ...change.changes.map((value) => `    ${valueLine(value)}`)];
    default:
      return change satisfies never;
  }
}

function position(after: string | undefined): string {
  return after === undefined ? "first" : `after ${after}`;
}

function valueLine(change: ValueChange): string {
  const { path, from, to } = change;
  if (!("from" in change)) return `+ ${path}: ${short(to)}`;
  if (!("to" in change)) return `- ${path}: ${short(from)}`;
  const [before, after] = [short(from), short(to)];
  return before === after ? `~ ${path}: another value than before, which is not shown` : `~ ${path}: ${after} (before: ${before})`;
}

function envoyLines(change: EnvoyChange): readonly string[] {
  switch (change.kind) {
    case "processing-mode": {
      const modes = change.changes.map(({ path, from, to }) => `${path}: ${String(to)} (before: ${String(from)})`);
      return [`~ processing_mode of ${listed("route", change.routes)}`, ...modes.map((line) => `    ~ ${line}`)];
    }
    case "attribute-needed":
      return [`+ request_attributes: ${change.attribute}`];
    case "attribute-unneeded":
      return [`- request_attributes: ${change.attribute}`];
    case "routing-right-needed":
      return ["+ mutation_rules: allow_all_routing"];
    case "routing-right-unneeded":
      return ["- mutation_rules: allow_all_routing"];
    case "body-bytes":
      return [`~ the largest body that a step waits for: ${sizeText(change.to)} (before: ${sizeText(change.from)})`];
    default:
      return change satisfies never;
  }
}

const namesMax = 10;
const valueCharactersMax = 120;

function listed(thing: string, names: readonly string[]): string {
  const shown = names.slice(0, namesMax).join(", ");
  const more = names.length > namesMax ? ` and ${names.length - namesMax} more` : "";
  return `${thing}${names.length === 1 ? "" : "s"} ${shown}${more}`;
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > valueCharactersMax ? `${text.slice(0, valueCharactersMax)}...` : text;
}
