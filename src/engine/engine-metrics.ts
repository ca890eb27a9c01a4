import type { GenerationHolder } from "../generations/holder.ts";
import type { ExchangeCounters } from "../kernel/exchange-counters.ts";
import type { Log } from "../observe/log.ts";
import { type Collector, single } from "../observe/metrics.ts";
import type { Configuration } from "./configuration.ts";
import type { WatchedServerTls } from "./server-tls.ts";

export interface ServingSources {
  readonly exchanges: ExchangeCounters;
  readonly generations: Pick<GenerationHolder, "open">;
}

/** Of a process that answers Envoy. Labels come from closed sets. */
export function servingCollector({ exchanges, generations }: ServingSources): Collector {
  return () => {
    const { open, observed, ended } = exchanges.read();
    return [
      single("policy_engine_exchanges_open", "gauge", "Exchanges under way.", open),
      single(
        "policy_engine_observed_messages_total",
        "counter",
        "Messages of Envoy's observability mode: it decides nothing, a misconfiguration.",
        observed,
      ),
      {
        name: "policy_engine_exchanges_total",
        help: "Exchanges that have ended, by how.",
        type: "counter",
        samples: Object.entries(ended).map(([outcome, value]) => ({ labels: { outcome }, value })),
      },
      single("policy_engine_generations_open", "gauge", "Generations that are in use or still have exchanges.", generations.open().length),
    ];
  };
}

/** Of the process that has the configuration: generations, reloads, providers. Labels come from closed sets and from the settings. */
export function configurationCollector(configuration: Configuration, isReady: () => boolean): Collector {
  const { generations, reloader, registry } = configuration;
  return () => {
    const disk = configuration.disk();
    const { accepted, unchanged, superseded, refused } = reloader.state();
    return [
      single(
        "policy_engine_ready",
        "gauge",
        "Whether there is a generation in use and the engine is not draining: 1 or 0.",
        isReady() ? 1 : 0,
      ),
      single(
        "policy_engine_generation",
        "gauge",
        "Number of the generation in use; 0 before there is one.",
        generations.current()?.number ?? 0,
      ),
      ...(disk === undefined
        ? []
        : [
            single(
              "policy_engine_generation_saved",
              "gauge",
              "Number of the generation on disk; another one than in use means that it could not be saved.",
              disk.generation ?? 0,
            ),
          ]),
      single(
        "policy_engine_generation_committed_timestamp_seconds",
        "gauge",
        "When the generation in use was taken into use, in seconds since the epoch; 0 before there is one.",
        (generations.current()?.committedAt ?? 0) / 1000,
      ),
      {
        name: "policy_engine_reloads_total",
        help: "Configurations that were tried, by verdict; superseded: given up for a newer one while policies were created.",
        type: "counter",
        samples: [
          { labels: { verdict: "accepted" }, value: accepted },
          { labels: { verdict: "unchanged" }, value: unchanged },
          { labels: { verdict: "superseded" }, value: superseded },
          { labels: { verdict: "refused" }, value: [...refused.values()].reduce((sum, count) => sum + count, 0) },
        ],
      },
      {
        name: "policy_engine_refusals_total",
        help: "Refused deliveries of configuration, by the code of their first problem.",
        type: "counter",
        samples: [...refused].map(([code, value]) => ({ labels: { code }, value })),
      },
      {
        name: "policy_engine_provider_up",
        help: "Whether a provider's source can be read: 1 or 0.",
        type: "gauge",
        samples: registry.state().map(({ name, failure }) => ({ labels: { provider: name }, value: failure === undefined ? 1 : 0 })),
      },
      {
        name: "policy_engine_provider_problems",
        help: "How many problems what a provider delivered last was refused for; while it is not 0, its earlier state is in force.",
        type: "gauge",
        samples: registry.state().map(({ name, problems }) => ({ labels: { provider: name }, value: problems })),
      },
      {
        name: "policy_engine_provider_held",
        help: "Whether what a provider delivered last is held back by a rollback: 1 or 0.",
        type: "gauge",
        samples: registry.state().map(({ name, held }) => ({ labels: { provider: name }, value: held ? 1 : 0 })),
      },
    ];
  };
}

/** A certificate that ends unnoticed ends all traffic. */
export function certificateCollector({ expiresAtMs }: Pick<WatchedServerTls, "expiresAtMs">): Collector {
  return () => [
    single(
      "policy_engine_certificate_expiry_timestamp_seconds",
      "gauge",
      "When the engine's own certificate ends, in seconds since the epoch.",
      expiresAtMs() / 1000,
    ),
  ];
}

/** Of every process that has a log. */
export function logCollector(log: Pick<Log, "droppedLines">): Collector {
  return () => [
    single("policy_engine_log_lines_dropped_total", "counter", "Lines of the log that its reader was too slow for.", log.droppedLines()),
  ];
}
