import { credentialNamePattern } from "../config/credential-names.ts";
import { metadataPathPattern, metadataPathsMax } from "../config/metadata-paths.ts";
import { durationText, sizeText } from "../config/quantities.ts";
import { loggedHeadersMax } from "../config/record-settings.ts";
import { defaultEnvoyPromises } from "../config/settings.ts";
import type { JsonSchema } from "../config/types.ts";
import { workersMax } from "../config/workers.ts";
import { choice, dialect, duration, flag, formatVersion, list, map, size, text } from "./parts.ts";
import { providersSchema } from "./providers.ts";

const otherwise = defaultEnvoyPromises;
const otlp = "otlp:https?://[\\s\\S]+";
const tcp = "tcp:(?:\\[[\\da-fA-F:.]+\\]|[\\w.-]+):\\d{1,5}";

/** The JSON Schema of settings, for editors: what can be said without looking at several values together. */
export const settingsSchema: JsonSchema = {
  $schema: dialect,
  title: "Settings of the Envoy Policy Engine",
  ...map(
    "How the process runs. Relative paths start at the folder of this file.",
    {
      version: formatVersion,
      listen: list("Where Envoy finds the engine.", text("`unix:PATH` or `tcp:HOST:PORT`.", { pattern: `^(?:unix:[\\s\\S]+|${tcp})$` }), {
        minItems: 1,
        default: ["tcp:127.0.0.1:9100"],
      }),
      workers: {
        description: "How many processes answer Envoy; each has an address of its own, the next port or the path with `.1` behind it.",
        oneOf: [{ type: "integer", minimum: 1, maximum: workersMax }, { const: "auto" }],
        default: 1,
      },
      transport: choice(
        "What speaks gRPC with Envoy: a library, or an HTTP/2 server of the engine's own.",
        ["grpc-js", "native"],
        "grpc-js",
      ),
      tls: map(
        "TLS for the TCP addresses of `listen`: PEM files, watched; replaced ones take effect for new connections. Unix sockets stay without.",
        {
          certificate: text("The engine's certificate, with the intermediate ones behind it."),
          key: text("Its key."),
          clientCa: text("What vouches for Envoy's certificate. Without it clients are not asked for one."),
        },
        ["certificate", "key"],
      ),
      admin: text("Health, readiness and metrics, for people and probes: `tcp:HOST:PORT`. It asks for no password.", {
        pattern: `^${tcp}$`,
        default: "tcp:127.0.0.1:9101",
      }),
      providers: providersSchema,
      state: text("The folder where the last good configuration is kept over restarts. Without it none is."),
      secrets: section("Which secrets text from other machines may use.", {
        allow: list(
          "`env:NAME`, `env:BEGINNING_*`, `file:/PATH`, `file:/FOLDER/*`.",
          text("A secret.", { pattern: "^(?:env:[A-Za-z_]\\w*\\*?|file:/[^*]*\\*?)$" }),
        ),
      }),
      envoy: section("What Envoy's side promises.", {
        identity: choice("How Envoy says which route matched.", ["both", "attributes", "metadata"], otherwise.identity),
        allowModeOverride: flag("Envoy's filter has `allow_mode_override: true`.", otherwise.allowModeOverride),
        responseHeaders: choice("Whether Envoy's filter sends response headers unasked.", ["sent", "skipped"], otherwise.responseHeaders),
        messageTimeout: duration("Envoy's `message_timeout`; the engine answers within 90 % of it.", {
          default: durationText(otherwise.messageTimeoutMs),
        }),
        bodyBytesMax: size("The largest body that a step waits for.", { default: sizeText(otherwise.bodyBytesMax) }),
        metadata: list(
          "What Envoy is told of each exchange as dynamic metadata, besides the decision's id. Nothing is told unless it is written.",
          text("A value of the shared metadata.", { pattern: metadataPathPattern }),
          { maxItems: metadataPathsMax, examples: [["auth.subject"]] },
        ),
      }),
      shutdown: section("What happens after SIGTERM.", {
        drainDelay: duration("How long new streams are still taken; longer than Envoy's health check interval.", { default: "3s" }),
        grace: duration("When whatever is left is ended, counted from SIGTERM.", { default: "30s" }),
      }),
      overload: section("When new exchanges are answered with 503 before the chain runs.", {
        loopDelay: duration("How far the event loop may be behind.", { default: "2s" }),
      }),
      log: section("The log.", { level: choice("What is written.", ["debug", "info", "warn", "error"], "info") }),
      decisionLog: section(
        "One line of JSON for each reply, failure and sampled exchange; schemas/decision.schema.json says what is in it. Off unless it is written.",
        {
          to: text("`stdout`, `file:PATH`, or `otlp:URL` for a collector.", { pattern: `^(?:stdout|file:[\\s\\S]+|${otlp})$` }),
          sample: {
            description: "The share of the exchanges that nobody answered and in which nothing failed.",
            type: "number",
            minimum: 0,
            maximum: 1,
            default: 0,
          },
          headers: list(
            "Request headers whose values are written; none whose name tells of credentials.",
            text("A name in lower case.", { pattern: "^[a-z\\d!#$%&'*+.^_`|~-]{1,128}$", not: { pattern: credentialNamePattern } }),
            { maxItems: loggedHeadersMax, examples: [["user-agent"]] },
          ),
        },
        ["to"],
      ),
      traces: section(
        "Spans of the exchanges that Envoy traces. Off unless it is written.",
        { to: text("`otlp:URL` of a collector.", { pattern: `^${otlp}$`, examples: ["otlp:http://127.0.0.1:4318"] }) },
        ["to"],
      ),
      recording: section(
        "Keeps what each step did to the last exchanges, for the admin port. Off unless it is written.",
        { exchangesMax: { description: "How many exchanges are kept.", type: "integer", minimum: 1, maximum: 100_000 } },
        ["exchangesMax"],
      ),
    },
    ["version", "providers"],
  ),
};

/** A part whose key may stand there with nothing behind it. */
function section(description: string, properties: JsonSchema, required: readonly string[] = []): JsonSchema {
  return { ...map(description, properties, required), type: ["object", "null"] };
}
