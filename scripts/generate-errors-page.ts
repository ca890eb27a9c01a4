import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { GeneratedFile } from "../builder/generated-file.ts";
import { failureCatalogue, problemCatalogue } from "../src/errors.ts";

/**
 * `docs/errors.md`: every code with what it means and how to mend it, for those who look one up. A problem is shown by a real example, taken
 * from the golden outputs of the tests, because its message and its remedy depend on what was written.
 */
export async function generateErrorsPage(root: string): Promise<GeneratedFile> {
  const examples = await shortestExamples(join(root, "tests"));
  const problems = Object.entries(problemCatalogue).flatMap(([code, { meaning, severity = "error", acknowledge }]) => [
    `### ${code}`,
    "",
    `${severity === "warning" ? "Warning. " : ""}${meaning}${acknowledge === undefined ? "" : ` The ${acknowledge} can acknowledge it.`}`,
    "",
    ...fenced(examples.get(code)),
  ]);
  const failures = Object.entries(failureCatalogue).flatMap(([code, { status, meaning, remedy }]) => [
    `### ${code}`,
    "",
    `Status ${status}. ${meaning}`,
    "",
    `Help: ${remedy}.`,
    "",
  ]);
  return { path: "docs/errors.md", text: [...introduction, ...problems, ...failuresIntroduction, ...failures].join("\n") };
}

const introduction = [
  "<!-- Generated from src/errors.ts and the golden outputs under tests by `npm run generate`. -->",
  "",
  "# Error codes",
  "",
  "## Problems of configuration, settings, manifests and builds",
  "",
  "All problems of all files are found in one run. Each says where it is, its path in the document, what is wrong and how to mend it. An error",
  "keeps the configuration from being used, a warning does not. What is meant can be acknowledged where it says so: `acknowledge: [{ code, reason }]`.",
  "",
];

const failuresIntroduction = [
  "## Failures of an exchange",
  "",
  "The engine answers in place of the upstream. The client gets the status and a decision id (`x-decision-id`), never the cause: that is in the log",
  "under the id.",
  "",
];

function fenced(example: string | undefined): readonly string[] {
  return example === undefined ? [] : ["```text", example, "```", ""];
}

/** Code to the shortest output that shows it; of two of one length the first by text. */
async function shortestExamples(folder: string): Promise<ReadonlyMap<string, string>> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith(".golden.txt"));
  const outputs = await Promise.all(paths.map((path) => readFile(join(folder, path), "utf8")));
  const shortest = new Map<string, string>();
  for (const [example, code = ""] of outputs.flatMap((output) => [
    ...output.matchAll(/^\S+: (?:error|warning)\[([\w-]+)\].*(?:\n {2}.*)*/gm),
  ])) {
    const known = shortest.get(code);
    if (known === undefined || example.length < known.length || (example.length === known.length && example < known))
      shortest.set(code, example);
  }
  return shortest;
}
