/** The ext_proc filter. */
import { messageBytesMax } from "../config/message-bytes.ts";
import { chainAttribute, chainMetadata, engineNamespace, routeAttribute, routeMetadata, routePrefix } from "../kernel/route-identity.ts";
import { type EnvoyDemands, mutationsThatNeedRights } from "./demands.ts";
import { filterMode } from "./processing-mode.ts";
import { indented, quoted, seconds } from "./yaml-text.ts";

/** Beyond what the engine itself sends. */
const messageMarginBytes = 64 * 1024;

export function printFilter(demands: EnvoyDemands): string {
  const { envoy } = demands.settings;
  const attributes = attributesOf(demands);
  return `- name: envoy.filters.http.ext_proc
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
    grpc_service:
      envoy_grpc:
        cluster_name: policy_engine
        # No x-envoy-internal and x-forwarded-for on every stream.
        skip_envoy_headers: true
        # The largest message of the engine: a body and the headers beside it.
        max_receive_message_length: ${messageBytesMax(envoy.bodyBytesMax) + messageMarginBytes}
      # An engine that restarts is not a 500 for the user: another one is asked, as long as none has answered. Without a
      # back-off of its own a retry waits for a second, without the predicate it may ask the dead one again.
      retry_policy:
        retry_on: connect-failure,refused-stream,reset-before-request
        num_retries: 2
        retry_back_off: { base_interval: 0.005s, max_interval: 0.05s }
        retry_host_predicate:
          - name: envoy.retry_host_predicates.previous_hosts
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate
        # The dead one has the fewest requests: LEAST_REQUEST would have it again, of two engines three times in four.
        host_selection_retry_max_attempts: 30
${indented(initialMetadata(demands), 6)}${indented(requestAttributes(demands, attributes), 4)}    # Without the engine nothing passes. true also is the mode in which stray answers can crash Envoy 1.36.2.
    failure_mode_allow: false
    # Settings \`messageTimeout\`, for each message. The engine answers within 90 % of it.
    message_timeout: ${seconds(envoy.messageTimeoutMs)}
${indented(processingMode(demands), 4)}
    # A policy cannot move a request to a route whose chain did not run.
    route_cache_action: RETAIN
${indented(metadataOptions(demands), 4)}    mutation_rules:
      # A change that Envoy refuses is a 500, not silence.
      disallow_is_error: true
${indented(routingRights(demands), 6)}      # Never a policy's business: they belong to the connection.
      disallow_expression:
        { regex: "^(connection|transfer-encoding|te|upgrade|keep-alive|proxy-connection|trailer|expect)$" }
    # No engine is a 503; a message past its time stays a 504.
    status_on_error: { code: ServiceUnavailable }`;
}

function initialMetadata({ settings: { envoy } }: EnvoyDemands): string {
  if (envoy.identity === "attributes") return "";
  return `# Settings \`identity: ${envoy.identity}\`: which route matched. No other operators: with one that it does not know,
# Envoy asks nobody and lets every request pass.
initial_metadata:
  - { key: ${routeMetadata}, value: "${routePrefix}%ROUTE_NAME%" }
  - { key: ${chainMetadata}, value: "%METADATA(ROUTE:policy.engine:chain)%" }
`;
}

function requestAttributes({ settings: { envoy } }: EnvoyDemands, attributes: readonly string[]): string {
  const identity = envoy.identity === "metadata" ? [] : [routeAttribute, chainAttribute];
  const others = attributes.filter((attribute) => !identity.includes(attribute));
  const block = (comment: string, names: readonly string[]): string =>
    names.length === 0 ? "" : `  # ${comment}\n${names.map((name) => `  - ${quoted(name)}\n`).join("")}`;
  if (identity.length + others.length === 0) return "";
  return `request_attributes:
${block(`Settings \`identity: ${envoy.identity}\`: which route matched.`, identity)}${block("What expressions of the chains read.", others)}`;
}

function attributesOf({ chains }: EnvoyDemands): readonly string[] {
  return [...new Set([...chains.values()].flatMap(({ attributes }) => [...attributes.keys()]))].sort();
}

function processingMode({ settings: { envoy } }: EnvoyDemands): string {
  const why = envoy.responseHeaders === "sent" ? "Settings `responseHeaders: sent`." : "Settings `responseHeaders: skipped`: the least.";
  const modes = Object.entries(filterMode(envoy)).map(([key, mode]) => `  ${key}: ${mode}\n`);
  const override = envoy.allowModeOverride ? "the engine asks for more where a chain needs it." : "the engine asks for nothing else.";
  return `# ${why}
processing_mode:
${modes.join("")}# Settings \`allowModeOverride\`: ${override}
allow_mode_override: ${envoy.allowModeOverride}`;
}

function metadataOptions({ settings: { envoy } }: EnvoyDemands): string {
  if (envoy.metadata === undefined) return "";
  return `# Settings \`metadata\`: what the engine says about an exchange. Without this Envoy drops it in silence.
metadata_options: { receiving_namespaces: { untyped: [${engineNamespace}] } }
`;
}

function routingRights({ chains }: EnvoyDemands): string {
  const movers = [...chains].filter(([, chain]) => mutationsThatNeedRights(chain).length > 0).map(([name]) => name);
  if (movers.length === 0) return "";
  return `# Policies change the method or the host: ${listed(movers)}.
allow_all_routing: true
`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
