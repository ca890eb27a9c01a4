/** Builds in folders of their own, in this process. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type BuildRequest, build } from "../../builder/build.ts";
import { type BuildEvent, stepNames } from "../../builder/events.ts";
import { root } from "../../scripts/cache.mjs";
import { formatProblems } from "../../src/config/problems.ts";

/** Path to text. */
export type Files = Readonly<Record<string, string>>;

/** A policy that is complete and does next to nothing: it sets `x-NAME` to its version. */
export function tinyPolicy(name: string, version = "1.0.0", folder = `policies/${name}/v${version}`): Files {
  const files = {
    "policy.yaml": `name: ${name}
version: ${version}
summary: Marks requests.
sdk: 1
parameters:
  type: object
  description: What to mark with.
  additionalProperties: false
  properties:
    mark: { type: string, description: The value., default: "${version}", examples: [seen] }
`,
    "index.ts": `import type { PolicyDefinition } from "@envoy-policy-engine/sdk";
import type { Parameters } from "./parameters.ts";

export default {
  create: ({ mark }) => ({ request: ({ request }) => request.headers.set("x-${name}", mark) }),
} satisfies PolicyDefinition<Parameters>;
`,
    "parameters.ts": `// Generated from policy.yaml by \`npm run generate\`: change that, not this.

/** What to mark with. */
export interface Parameters {
  /** The value. Default: "${version}". */
  readonly mark: string;
}
`,
    "cases.yaml": `cases:
  - name: marks
    expect: { request: { headers: { x-${name}: "${version}" } } }
`,
    "README.md": `# ${name}\n\nMarks requests.\n\n| parameter | meaning |\n|---|---|\n| \`mark\` | The value. |\n`,
  };
  return Object.fromEntries(Object.entries(files).map(([file, text]) => [join(folder, file), text]));
}

/** Removed when the test ends. */
export async function folderWith(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "policy-engine-build-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFiles(folder, files);
  return folder;
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

export interface Built {
  readonly succeeded: boolean;
  readonly events: readonly BuildEvent[];
  /** The problems as people read them, without this machine's paths. */
  readonly text: string;
}

/**
 * Builds `distribution.yaml` of a folder into `out` in it. What is kept between builds is kept in the folder, too.
 *
 * @param watch hears of each event when it happens
 */
export async function buildIn(
  folder: string,
  request: Partial<BuildRequest> = {},
  watch: (event: BuildEvent) => void = () => {},
): Promise<Built> {
  const events: BuildEvent[] = [];
  const report = (event: BuildEvent): void => {
    events.push(event);
    watch(event);
  };
  const succeeded = await build(
    { manifest: join(folder, "distribution.yaml"), out: join(folder, "out"), lock: "use", steps: new Set(stepNames), ...request },
    { engineRoot: root, cache: join(folder, "cache"), monotonicMs: () => performance.now(), report },
  );
  const problems = events.flatMap((event) => (event.event === "failed" ? event.problems : []));
  return { succeeded, events, text: formatProblems(problems).replaceAll(`${folder}/`, "") };
}
