import type { JsonSchema } from "../config/types.ts";
import { duration, list, map, size, text } from "./parts.ts";

/** Where configuration comes from, as settings say it. */
export const providersSchema: JsonSchema = list(
  "Where the configuration comes from: one source each.",
  {
    ...map("One source.", {
      file: map(
        "Files on this machine, watched however they are replaced.",
        { paths: list("Files, and folders of `*.yaml`.", text("A path."), { minItems: 1, examples: [["policies.yaml"]] }) },
        ["paths"],
      ),
      http: map(
        "Web servers, asked again and again.",
        {
          urls: list("One document each; https, or http on this machine.", text("An address."), {
            minItems: 1,
            examples: [["https://config.example.com/policies.yaml"]],
          }),
          interval: duration("Between two questions, give or take a tenth.", { default: "30s" }),
          report: text("Where statistics of what it delivered are sent with each question; https, or http on this machine."),
          ...remote(),
        },
        ["urls"],
      ),
      xds: map(
        "A control plane: the aggregated discovery service over gRPC.",
        {
          address: text("`tcp:HOST:PORT` or `unix:PATH`; with `tls`, unless it is on this machine.", {
            pattern: "^(?:unix:[\\s\\S]+|tcp:(?:\\[[\\da-fA-F:.]+\\]|[\\w.-]+):\\d{1,5})$",
          }),
          node: text("What the control plane knows this engine by. Default: the name of the host."),
          reportInterval: duration("Between two messages with statistics of what it delivered. Default: none is sent."),
          ...remote(),
        },
        ["address"],
      ),
      name: text("What logs and metrics call it. Default: its kind.", { pattern: "^[A-Za-z0-9](?:[\\w.-]{0,61}[A-Za-z0-9])?$" }),
      precedence: {
        description: "Of two definitions of one chain or route that of the source with the higher one counts; two of the same are refused.",
        type: "integer",
        minimum: -1000,
        maximum: 1000,
        default: 0,
      },
    }),
    oneOf: [{ required: ["file"] }, { required: ["http"] }, { required: ["xds"] }],
  },
  { minItems: 1 },
);

function remote(): JsonSchema {
  return {
    timeout: duration("How long an answer may take.", { default: "10s" }),
    bytesMax: size("The largest answer.", { default: "4MiB" }),
    tls: {
      ...map("PEM files, read anew for each connection.", {
        ca: text("What vouches for the server, in place of what Node trusts."),
        certificate: text("Our own certificate."),
        key: text("Its key."),
      }),
      dependentRequired: { certificate: ["key"], key: ["certificate"] },
    },
    token: text("Where the bearer token is: a secret reference, never the token.", {
      pattern: "^\\$\\{(?:env:[A-Za-z_]\\w*|file:[\\s\\S]+)\\}$",
      examples: ["${file:/run/secrets/token}"],
    }),
  };
}
