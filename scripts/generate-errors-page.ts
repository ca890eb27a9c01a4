import type { GeneratedFile } from "../builder/generated-file.ts";
import { failureCatalogue, problemCatalogue } from "../src/errors.ts";

/** `docs/errors.md`: every code of the catalogue with what it means, for those who look one up. */
export function generateErrorsPage(): GeneratedFile {
  const problems = Object.entries(problemCatalogue).map(([code, { meaning, severity = "error" }]) =>
    row([anchored(code), severity, meaning]),
  );
  const failures = Object.entries(failureCatalogue).map(([code, { status, meaning, remedy }]) =>
    row([anchored(code), `${status}`, meaning, sentence(remedy)]),
  );
  const text = [
    "<!-- Generated from src/errors.ts by `npm run generate`. -->",
    "",
    "# Error codes",
    "",
    "## Problems of configuration, settings and manifests",
    "",
    "All problems of all files are found in one run. Each is printed with its position, its path in the document, what is wrong and how to mend it.",
    "An error keeps the configuration from being used; a warning does not.",
    "",
    row(["code", "severity", "when"]),
    row(["---", "---", "---"]),
    ...problems,
    "",
    "## Failures of an exchange",
    "",
    "The engine answers in place of the upstream. The client gets the status and a decision id (`x-decision-id`), never the cause: that is in the log",
    "under the id.",
    "",
    row(["code", "status", "when", "how to mend it"]),
    row(["---", "---", "---", "---"]),
    ...failures,
    "",
  ].join("\n");
  return { path: "docs/errors.md", text };
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

/** A code that can be linked to: `docs/errors.md#unknown-key`. */
const anchored = (code: string): string => `<a id="${code}"></a>\`${code}\``;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
