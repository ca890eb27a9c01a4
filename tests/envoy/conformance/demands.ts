import { writeData } from "../../../scripts/processes/data.ts";
import type { EnvoyDemands } from "../../../src/envoy-config/demands.ts";
import { demandsOf } from "../../config/envoy/support.ts";
import { type Chains, promised, type Setting } from "./case.ts";

/** What the chains demand of the Envoy of a setting. */
export function conformanceDemands({ promises, metadata }: Setting, { config, policies }: Chains): Promise<EnvoyDemands> {
  const { messageTimeoutMs, bodyBytesMax, ...envoy } = { ...promised, ...promises };
  const settings = {
    version: 1,
    providers: [{ file: { paths: ["chains.yaml"] } }],
    envoy: {
      ...envoy,
      messageTimeout: `${messageTimeoutMs}ms`,
      bodyBytesMax: `${bodyBytesMax}B`,
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
  return demandsOf(writeData(settings), config, policies);
}
