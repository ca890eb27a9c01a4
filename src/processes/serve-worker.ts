/** A worker: it answers Envoy by generations that its parent orders, and ends when the parent does. */
import type { BuildInfo } from "../build-info.ts";
import { parseSettings, type Settings } from "../config/settings.ts";
import type { PolicyRegistry } from "../config/types.ts";
import { workerAddress } from "../config/workers.ts";
import { routePage } from "../engine/configuration-pages.ts";
import { chainStatistics } from "../engine/provider-statistics.ts";
import { originOf } from "../engine/registrations.ts";
import { createServing, type Serving } from "../engine/serving.ts";
import { loadPatternEngine } from "../expressions/patterns.ts";
import { createSecrets } from "../generations/secrets.ts";
import { createLog, type Log } from "../observe/log.ts";
import { version } from "../version.ts";
import { sendable } from "./merge-metrics.ts";
import { createPreparation, type Preparation } from "./preparation.ts";
import { isOrder, type Order, protocolVersion, type Question, type Report, type StartOrder } from "./protocol.ts";
import type { GenerationCounts } from "./sum-counts.ts";

/** The channel to the parent. */
export interface ParentLink {
  /** Resolves when it is on its way, also when nobody is there any more. */
  send(report: Report): Promise<void>;
  onOrder(listener: (order: unknown) => void): void;
  /** Called once, when the parent is gone. */
  onGone(listener: () => void): void;
}

export interface WorkerParts {
  readonly parent: ParentLink;
  readonly policies: PolicyRegistry;
  readonly buildInfo?: BuildInfo;
  /** The process's environment variables, for `${env:NAME}`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Worker {
  /** Undefined before it has started. */
  log(): Log | undefined;
  /** As on SIGTERM: drains and ends. Called again it changes nothing. */
  stop(): void;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
}

/** Waits for the order to start and works until it is stopped. An order that is none ends it: parent and worker do not understand each other. */
export function startWorker(parts: WorkerParts): Worker {
  const { parent } = parts;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let running: Running | undefined;
  let stopping: Promise<void> | undefined;

  const stop = (): void => {
    stopping ??= (running === undefined ? Promise.resolve() : running.stop()).finally(resolve);
  };
  const fail = (error: unknown): void => {
    void parent.send({ kind: "failed", message: error instanceof Error ? error.message : String(error) }).then(stop);
  };
  const start = async (order: StartOrder): Promise<void> => {
    if (order.protocol !== protocolVersion)
      throw new Error(`it speaks version ${protocolVersion}, and its parent version ${order.protocol}`);
    running = run(order, parts);
    await parent.send({ kind: "started", protocol: protocolVersion, version });
  };
  const listen = async (): Promise<void> => {
    if (running !== undefined) await parent.send({ kind: "listening", addresses: await running.listen() });
  };
  const obey = (order: Order): void => {
    if (order.kind === "start") start(order).catch(fail);
    else if (order.kind === "listen") listen().catch(fail);
    else if (order.kind === "stop") stop();
    else if (order.kind === "end") (running?.end() ?? Promise.resolve()).finally(resolve);
    else running?.obey(order);
  };
  parent.onOrder((order) => (isOrder(order) ? obey(order) : fail(new Error("an order that this program does not know"))));
  parent.onGone(() => {
    if (stopping !== undefined) return;
    running?.log.warn({}, "the parent process is gone: draining");
    stop();
  });
  return { log: () => running?.log, stop, ended };
}

interface Running {
  readonly log: Log;
  listen: Serving["listenNow"];
  obey(order: Exclude<Order, { kind: "start" | "listen" | "stop" | "end" }>): void;
  stop(): Promise<void>;
  end(): Promise<void>;
}

function run({ index, settings: source, directory }: StartOrder, { parent, policies, buildInfo, environment }: WorkerParts): Running {
  const parsed = parseSettings(source, directory);
  if ("problems" in parsed) throw new Error("it refuses the settings that its parent has accepted");
  const { settings } = parsed;
  const secrets = createSecrets(environment);
  const log = createLog({ level: settings.log.level, base: { worker: index }, redact: secrets.redact });
  const { engine: patterns } = loadPatternEngine();
  const listen = settings.listen.map((address) => workerAddress(address, index));
  const serving = createServing({ settings, listen, policies, buildInfo, secrets, patterns, log });
  const preparation = createPreparation(serving);

  const send = (report: Report): void => void parent.send(report);
  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await serving.end();
    await parent.send({ kind: "ended", metrics: sendable(serving.metrics.families()) });
    preparation.drop();
    serving.generations.close();
    log.info({}, "stopped");
    log.flush();
  };
  const endOnce = (): Promise<void> => {
    ending ??= end();
    return ending;
  };
  return {
    log,
    listen: serving.listenNow,
    obey(order) {
      switch (order.kind) {
        case "prepare":
          return prepareNow(order, { preparation, settings, log, send });
        case "commit":
          preparation.commit(order.transaction, order.generation);
          return send({ kind: "committed", transaction: order.transaction });
        case "drop":
          return preparation.drop(order.transaction);
        case "ask":
          return void answer(order.about, serving, settings).then((body) => send({ kind: "answer", question: order.question, body }));
        default:
          return order satisfies never;
      }
    },
    async stop() {
      await serving.drain();
      await endOnce();
    },
    end: endOnce,
  };
}

interface Preparing {
  readonly preparation: Preparation;
  readonly settings: Settings;
  readonly log: Log;
  readonly send: (report: Report) => void;
}

/** A provider that the settings do not name is a fault of the parent: the worker then says nothing, and is replaced. */
function prepareNow(order: Extract<Order, { kind: "prepare" }>, { preparation, settings, log, send }: Preparing): void {
  const { transaction } = order;
  const origins = new Map(settings.providers.map((one) => [one.name, originOf(one, settings.secrets)]));
  const documents = order.documents.flatMap(({ uri, text, provider }) => {
    const origin = origins.get(provider);
    return origin === undefined ? [] : [{ uri, text, origin }];
  });
  if (documents.length < order.documents.length) return log.error({ transaction }, "documents of a provider that the settings do not name");
  preparation.prepare(transaction, documents).then(
    (result) => {
      if (result === "dropped") return;
      if ("problems" in result) send({ kind: "refused", transaction, problems: result.problems });
      else send({ kind: "prepared", transaction, ...result });
    },
    (error: unknown) => log.error({ err: error }, "a generation could not be prepared"),
  );
}

async function answer(question: Question, serving: Serving, settings: Settings): Promise<unknown> {
  const { generations, counters, metrics, probes, decision, explain } = serving;
  switch (question.kind) {
    case "pulse":
      return undefined;
    case "metrics":
      return sendable(metrics.families());
    case "counts": {
      const chains = [...(generations.current()?.chains.values() ?? [])].map((chain) => chainStatistics(chain, counters));
      return { chains, generations: generations.counts() } satisfies GenerationCounts;
    }
    case "detail":
      return { open: generations.open(), probes: probes.states() };
    case "route": {
      const generation = generations.current();
      return generation && routePage(question.name, generation, settings.envoy);
    }
    case "decision":
      return decision(question.id);
    case "explain":
      return explain(question.text);
    default:
      return question satisfies never;
  }
}
