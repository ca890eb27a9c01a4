import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { type Problem, problem } from "../../src/errors.ts";
import { child, type ModuleTree, type SyntaxNode, text } from "./module.ts";

export interface ImportContext {
  /** The module, relative to its folder. */
  readonly file: string;
  /** Every file of the folder. */
  readonly files: readonly string[];
  /** The packages that its package.json names. */
  readonly dependencies: readonly string[];
  readonly where: (node: SyntaxNode) => Pick<Problem, "position" | "path">;
}

/** Node's modules that reach nothing outside of the process and hold no state. */
const builtins: ReadonlySet<string> = new Set(["node:buffer", "node:crypto", "node:util"]);

const sdk = "@envoy-policy-engine/sdk";
const engine = "envoy-policy-engine";

/** Imports of values and of types: a policy has its own files, the SDK's types, what its package.json names, and little of Node. */
export function importProblems({ nodes }: ModuleTree, context: ImportContext): readonly Problem[] {
  return nodes.flatMap((node) => {
    if (node.type === "ImportExpression") {
      const specifier = text(child(node, "source"), "value") ?? "import()";
      const facts = {
        specifier,
        why: "what is imported while the policy runs cannot be checked or bundled",
        remedy: "import it at the top of the module",
      };
      return [problem("module-import", context.where(node), facts)];
    }
    const imported = importedBy(node);
    const specifier = text(imported, "value");
    return imported === undefined || specifier === undefined ? [] : specifierProblems(specifier, imported, context);
  });
}

/** The literal that says what a node imports. */
function importedBy(node: SyntaxNode): SyntaxNode | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return child(node, "source");
    case "TSImportType":
      return child(node, "argument");
    case "TSExternalModuleReference":
      return child(node, "expression");
    default:
      return undefined;
  }
}

function specifierProblems(specifier: string, node: SyntaxNode, context: ImportContext): readonly Problem[] {
  const refused = (why: string, remedy: string): readonly Problem[] => [
    problem("module-import", context.where(node), { specifier, why, remedy }),
  ];
  if (/^\.\.?(?:\/|$)/.test(specifier)) {
    const target = posix.join(posix.dirname(context.file), specifier);
    if (target.startsWith("..")) {
      return refused(
        "a policy version reaches neither another policy nor the engine",
        "copy what is needed, or share it as a package that the package.json names",
      );
    }
    return context.files.includes(target) ? [] : [problem("module-import-missing", context.where(node), { specifier })];
  }
  if (builtins.has(specifier)) return [];
  if (isBuiltin(specifier)) {
    return refused(
      "files, calls, clock and timers come from the context, so that tests can replace them",
      `use the context; of Node there are ${[...builtins].join(", ")}`,
    );
  }
  if (/^(?:\/|#|[a-z][a-z\d+.-]*:)/i.test(specifier))
    return refused("it is neither a file of the policy nor a package", "import files by `./`");
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (name === engine) return refused("a policy knows the SDK and nothing else of the engine", `take types from \`${sdk}\``);
  if (name === sdk || context.dependencies.includes(name)) return [];
  return refused(
    "no package.json of the policy's own names it",
    `add \`${name}\` to \`dependencies\` of the package.json in the policy's folder`,
  );
}
