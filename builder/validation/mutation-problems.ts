import type { PolicyManifest, RoutingMutation } from "../../src/config/types.ts";
import { type Problem, problem } from "../../src/errors.ts";
import { child, type ModuleTree, type SyntaxNode, text } from "./module.ts";

const parts: readonly RoutingMutation[] = ["path", "query", "method", "host"];

/**
 * Places where a module sets a part of the request that its manifest does not announce. What the text shows: `exchange.request.path = ...`, and
 * the same through a variable that holds the request. The engine refuses at run time whatever is not seen here.
 */
export function mutationProblems(
  module: ModuleTree,
  { mutates }: PolicyManifest,
  where: (node: SyntaxNode) => Pick<Problem, "position" | "path">,
): readonly Problem[] {
  return module.nodes.flatMap((node) => {
    const target = targetOf(node);
    const part = parts.find((candidate) => candidate === text(child(target, "property"), "name"));
    if (target === undefined || part === undefined || mutates.includes(part)) return [];
    return isRequest(child(target, "object"), module) ? [problem("module-mutation", where(target), { part })] : [];
  });
}

/** The member that a node assigns to. */
function targetOf(node: SyntaxNode): SyntaxNode | undefined {
  const field = node.type === "AssignmentExpression" ? "left" : node.type === "UpdateExpression" ? "argument" : undefined;
  const target = field === undefined ? undefined : child(node, field);
  return target?.type === "MemberExpression" && target.computed === false ? target : undefined;
}

/** `exchange.request`, or a variable that was made of it: `const { request } = exchange`, `const request = exchange.request`. */
function isRequest(node: SyntaxNode | undefined, module: ModuleTree): boolean {
  if (node?.type === "MemberExpression") return text(child(node, "property"), "name") === "request";
  const declared = node && module.declarationOf(node);
  const parent = declared && module.parentOf(declared);
  if (parent?.type === "Property") return text(child(parent, "key"), "name") === "request";
  const made = parent?.type === "VariableDeclarator" ? child(parent, "init") : undefined;
  return made?.type === "MemberExpression" && isRequest(made, module);
}
