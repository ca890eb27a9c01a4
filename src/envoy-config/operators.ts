/** Which parts of a value of `initial_metadata` Envoy 1.36 would not understand, or would let a client choose. */

export type OperatorFault = { readonly kind: "unknown"; readonly operator: string } | { readonly kind: "unclosed" };

/** Undefined when all is well. Only what is measured is let through: with anything else Envoy may ask nobody and let every request pass. */
export function operatorFault(value: string): OperatorFault | undefined {
  let rest = value.replaceAll("%%", "");
  while (rest.includes("%")) {
    const [, operator, after] = /%([^%]*)%(.*)$/s.exec(rest) ?? [];
    if (operator === undefined || after === undefined) return { kind: "unclosed" };
    if (!/^(?:ROUTE_NAME|METADATA\(ROUTE:[^:()\s]+(?::[^:()\s]+)+\))$/.test(operator))
      return { kind: "unknown", operator: nameOf(operator) };
    rest = after;
  }
  return undefined;
}

/** Without its arguments: what stands around an operator may be a secret. */
function nameOf(operator: string): string {
  return /^[A-Z_]+(?:\(|$)/.exec(operator)?.[0].replace("(", "(...)") ?? "...";
}
