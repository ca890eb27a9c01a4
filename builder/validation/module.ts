import { tsPlugin } from "@sveltejs/acorn-typescript";
import { Parser } from "acorn";
import { analyze } from "eslint-scope";

/** A module of a policy as a tree. The only file that knows the parser. */
export interface ModuleTree {
  /** Every node, parents before their children. */
  readonly nodes: readonly SyntaxNode[];
  parentOf(node: SyntaxNode): SyntaxNode | undefined;
  /** Identifiers that no declaration in the module or import of it explains: globals. Those in types are left out. */
  readonly globals: readonly SyntaxNode[];
  /** The identifier that declares what an identifier refers to; undefined for globals. */
  declarationOf(identifier: SyntaxNode): SyntaxNode | undefined;
}

/** An ESTree node; those of TypeScript have types that start with `TS`. */
export interface SyntaxNode {
  readonly type: string;
  /** Lines count from 1, columns from 0, in UTF-16 units. */
  readonly loc: { readonly start: { readonly line: number; readonly column: number } };
  readonly [field: string]: unknown;
}

/** Why a text is no module. Line counts from 1, column from 0. */
export interface SyntaxFault {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** Parses TypeScript or JavaScript. Never throws because of the text. */
export function parseModule(code: string): { readonly module: ModuleTree } | { readonly fault: SyntaxFault } {
  try {
    const program: unknown = Parser.extend(tsPlugin()).parse(code, { ecmaVersion, sourceType: "module", locations: true, ranges: true });
    return { module: treeOf(program) };
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    return { fault };
  }
}

/** The node in a field. */
export function child(node: SyntaxNode | undefined, field: string): SyntaxNode | undefined {
  const value = node?.[field];
  return isNode(value) ? value : undefined;
}

/** The text in a field. */
export function text(node: SyntaxNode | undefined, field: string): string | undefined {
  const value = node?.[field];
  return typeof value === "string" ? value : undefined;
}

const ecmaVersion = 2024;

function treeOf(program: unknown): ModuleTree {
  if (!isProgram(program) || !isNode(program)) throw new Error("the parser gave no program");
  const nodes: SyntaxNode[] = [];
  const parents = new Map<SyntaxNode, SyntaxNode>();
  const visit = (node: SyntaxNode): void => {
    nodes.push(node);
    for (const below of childrenOf(node)) {
      parents.set(below, node);
      visit(below);
    }
  };
  visit(program);
  return { nodes, parentOf: (node) => parents.get(node), ...namesIn(program) };
}

/** What is only declared, or imported as a type, exists for the compiler alone: it explains no name at run time. */
function namesIn(program: Program): Pick<ModuleTree, "globals" | "declarationOf"> {
  const body = program.body.filter((statement) => !isOnlyType(statement));
  const { globalScope, scopes } = analyze(
    { ...program, body },
    // `eval` is refused: it shall not make every name uncertain. Of TypeScript's own nodes only those that wrap an expression have something that runs.
    { ecmaVersion, sourceType: "module", ignoreEval: true, fallback: (node) => ("expression" in node ? ["expression"] : []) },
  );
  const declarations = new Map<unknown, unknown>(
    scopes.flatMap(({ references }) => references.map(({ identifier, resolved }) => [identifier, resolved?.defs[0]?.name])),
  );
  return {
    globals: (globalScope?.through ?? []).map(({ identifier }): unknown => identifier).filter(isNode),
    declarationOf: (identifier) => {
      const declared = declarations.get(identifier);
      return isNode(declared) ? declared : undefined;
    },
  };
}

function isOnlyType(statement: unknown): boolean {
  if (!isNode(statement)) return false;
  const declaration = child(statement, "declaration") ?? statement;
  return statement.importKind === "type" || statement.exportKind === "type" || declaration.declare === true;
}

function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" && "loc" in value;
}

type Program = Parameters<typeof analyze>[0] & { readonly body: readonly unknown[] };

function isProgram(value: unknown): value is Program {
  return typeof value === "object" && value !== null && "type" in value && value.type === "Program" && "body" in value;
}

/** The parser throws a `SyntaxError` with `loc`. */
function faultOf(error: unknown): SyntaxFault | undefined {
  if (!(error instanceof SyntaxError) || !("loc" in error)) return undefined;
  const { loc } = error;
  if (typeof loc !== "object" || loc === null || !("line" in loc) || !("column" in loc)) return undefined;
  return { message: error.message.replace(/ \(\d+:\d+\)$/, ""), line: Number(loc.line), column: Number(loc.column) };
}
