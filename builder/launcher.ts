import { target } from "./tools.ts";

const oldestNode = target.replace("node", "");
const [major, minor] = oldestNode.split(".");

/**
 * What starts the module `engine`, which lies beside it. A file of its own, because an old Node does not get as far as the first line of a
 * module that imports what it lacks.
 */
export const launcherText = (engine: string): string => `#!/usr/bin/env node
// Made by \`policy-engine build\`. In words that any Node can read, because it must be able to say that this Node is too old.
import process from "node:process";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major > ${major} || (major === ${major} && minor >= ${minor})) {
  await import("./${engine}");
} else {
  process.stderr.write(\`policy-engine: Node \${process.versions.node} is too old: use Node ${oldestNode} or newer (24 is best)\\n\`);
  process.exitCode = 2;
}
`;
