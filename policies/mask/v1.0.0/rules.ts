import { type Finder, windowBytesMax } from "@envoy-policy-engine/streams/matches";
import { patternFinder } from "@envoy-policy-engine/streams/patterns";
import { creditCardFinder } from "./detectors/credit-card.ts";
import { emailFinder } from "./detectors/email.ts";
import { ibanFinder } from "./detectors/iban.ts";
import { parsePath } from "./json/parse-path.ts";
import { type BoundPath, createPathMatcher, type PathMatcher } from "./json/path-matcher.ts";
import { bindMask, type Mask } from "./mask.ts";
import type { Rule } from "./parameters.ts";

/** Masks what a finder finds, in any text. */
export interface TextRule {
  readonly finder: Finder;
  readonly mask: Mask;
}

export interface BoundRules {
  readonly texts: readonly TextRule[];
  /** Whether a match can be so long that a text has to be there as a whole. */
  readonly needWholeTexts: boolean;
  readonly paths: PathMatcher<Mask>;
  readonly hasPaths: boolean;
}

/** @throws Error that says which rule cannot be what it says, and why. @param path of the list in the parameters */
export function bindRules(rules: readonly Rule[], path: string): BoundRules {
  const texts: TextRule[] = [];
  const paths: BoundPath<Mask>[] = [];
  for (const [index, rule] of rules.entries()) {
    try {
      const mask = bindMask(rule);
      if (rule.path === undefined) texts.push({ finder: finderOf(rule), mask });
      else paths.push({ segments: parsePath(rule.path), value: mask });
    } catch (error) {
      throw new Error(`\`${path}[${index}]\`: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
  return {
    texts,
    needWholeTexts: texts.some(({ finder }) => finder.matchBytesMax > windowBytesMax),
    paths: createPathMatcher(paths),
    hasPaths: paths.length > 0,
  };
}

function finderOf({ detect, pattern }: Rule): Finder {
  if (pattern !== undefined) return patternFinder(pattern);
  if (detect !== undefined) return detectors[detect];
  throw new Error("a rule has one of `detect`, `pattern` and `path`");
}

const detectors: Readonly<Record<NonNullable<Rule["detect"]>, Finder>> = {
  email: emailFinder,
  "credit-card": creditCardFinder,
  iban: ibanFinder,
};
