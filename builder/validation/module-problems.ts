import type { PolicyManifest } from "../../src/config/types.ts";
import { type Problem, problem } from "../../src/errors.ts";
import { globalProblems } from "./global-problems.ts";
import { importProblems } from "./import-problems.ts";
import { child, type ModuleTree, parseModule, type SyntaxNode, text } from "./module.ts";
import { mutationProblems } from "./mutation-problems.ts";
import { modulesOf, type Sources, startOf } from "./sources.ts";

/** What the code of a folder is checked against. */
export interface ModuleRules {
  /** A policy has its definition in `index.ts`; a package that policies share exports what it likes. */
  readonly kind: "policy" | "library";
  /** The packages that its package.json names. */
  readonly dependencies: readonly string[];
  /** Of a policy, as far as it can be read. */
  readonly manifest: PolicyManifest | undefined;
}

/** What is wrong with the modules of a folder, as far as it can be seen without running or compiling them. */
export function moduleProblems(sources: Sources, rules: ModuleRules): readonly Problem[] {
  return modulesOf(sources).flatMap((file) => problemsOf(file, sources, rules));
}

function problemsOf(file: string, sources: Sources, { kind, dependencies, manifest }: ModuleRules): readonly Problem[] {
  const start = startOf(sources, file);
  const at = (line: number, column: number) => ({ ...start, position: { ...start.position, line, column: column + 1 } });
  const where = ({ loc }: SyntaxNode) => at(loc.start.line, loc.start.column);
  const parsed = parseModule(sources.texts.get(file) ?? "");
  if ("fault" in parsed) {
    const { message, line, column } = parsed.fault;
    return [
      problem("module-syntax", at(line, column), {
        detail: `this cannot be parsed: ${message}`,
        remedy: "mend the syntax; nothing else of this file was checked",
      }),
    ];
  }
  const { module } = parsed;
  return [
    ...moreThanTypes(module, where),
    ...importProblems(module, { file, files: sources.files, dependencies, where }),
    ...globalProblems(module, where),
    ...(manifest === undefined ? [] : mutationProblems(module, manifest, where)),
    ...(kind === "library" || file !== "index.ts" || hasDefaultExport(module) ? [] : [problem("module-default-export", start, {})]),
  ];
}

/** TypeScript's syntax that leaves something to run when the types are taken away. */
const notErasable: Readonly<Record<string, string>> = {
  TSEnumDeclaration: "an `enum`",
  TSModuleDeclaration: "a `namespace`",
  TSParameterProperty: "a parameter that is a property",
  TSImportEqualsDeclaration: "`import =`",
  TSExportAssignment: "`export =`",
  Decorator: "a decorator",
};

function moreThanTypes({ nodes }: ModuleTree, where: (node: SyntaxNode) => Pick<Problem, "position" | "path">): readonly Problem[] {
  return nodes.flatMap((node) => {
    const what = notErasable[node.type];
    if (what === undefined || node.declare === true) return [];
    const detail = `${what} is more than a type: Node takes the types away and runs the rest`;
    return [problem("module-syntax", where(node), { detail, remedy: "write it as plain JavaScript with types, such as a union of texts" })];
  });
}

function hasDefaultExport({ nodes }: ModuleTree): boolean {
  return nodes.some(
    (node) =>
      node.type === "ExportDefaultDeclaration" || (node.type === "ExportSpecifier" && text(child(node, "exported"), "name") === "default"),
  );
}
