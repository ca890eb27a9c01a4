// A small control plane for trying out the engine's xDS provider: serves configuration files as resources, and shows what becomes of them.
import { createHash } from "node:crypto";
import { basename } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { FilesState } from "../src/files/read-files.ts";
import { watchFiles } from "../src/files/watch.ts";
import { configurationType } from "../src/providers/xds-document.ts";
import { resourceOf } from "./xds/resource-of.ts";
import { startXdsServer, type XdsServer } from "./xds/start-xds-server.ts";

const usage = `npm run xds -- [--port 18000] FILE...    serves configuration files and folders over ADS on loopback, anew when they change

Example:
  npm run xds -- configs/xds/simple-route.yaml
  npx policy-engine serve --settings configs/xds/settings.yaml`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { port: { type: "string", default: "18000" }, help: { type: "boolean", short: "h", default: false } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (positionals.length === 0) {
    console.error(usage);
    return 2;
  }
  const server = await startXdsServer({
    port: Number(values.port),
    onRequest: ({ node, responseNonce, versionInfo, errorDetail }) => {
      if (node !== undefined) console.log(`asked by ${node.id}`);
      else if (errorDetail === undefined) console.log(`in use: version ${versionInfo} (answer to ${responseNonce})`);
      else console.log(`refused (answer to ${responseNonce}):\n${(errorDetail.message ?? "").replaceAll(/^/gm, "  ")}`);
    },
  });
  const watch = await watchFiles(positionals, (state) => publish(state, server));
  publish(watch.first, server);
  console.log(`serving on 127.0.0.1:${server.port}`);
  await new Promise((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
  await watch.close();
  await server.stop();
  return 0;
}

/** The version is made of the content: a server that starts again calls the same state the same. */
function publish(state: FilesState, server: XdsServer): void {
  try {
    if (state.kind === "failed") throw state.error;
    const resources = state.files.map(({ path, bytes }) => ({
      typeUrl: configurationType,
      value: resourceOf(basename(path), Buffer.from(bytes).toString("utf8")),
    }));
    const hash = createHash("sha256");
    for (const { value } of resources) hash.update(value);
    const version = hash.digest("hex").slice(0, 12);
    console.log(`version ${version}: ${resources.length} resources`);
    server.publish({ version, typeUrl: configurationType, resources });
  } catch (error) {
    console.error(`not served: ${error instanceof Error ? error.message : String(error)}`);
  }
}
