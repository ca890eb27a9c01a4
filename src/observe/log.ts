import { type DestinationStream, pino, stdSerializers } from "pino";
import { createLineOutput, type LineOutput } from "./line-output.ts";

/** Lines are JSON: facts as fields, `msg` for people. An error goes under `err`. */
export interface LogLines {
  debug(facts: Facts, message: string): void;
  info(facts: Facts, message: string): void;
  warn(facts: Facts, message: string): void;
  error(facts: Facts, message: string): void;
}

/** Structured logging. */
export interface Log extends LogLines {
  /** Writes out what is still buffered, and waits for it; for the end of the process. An exit does it by itself. */
  flush(): void;
  /** Writes lines, with their ends, that are none of the log's own: two writers of one pipe would tear each other's lines. */
  beside(lines: string): void;
  /** Lines that were dropped since the start, because their reader was too slow. */
  droppedLines(): number;
  /** The same log for lines whose facts and messages policies have written: secrets are removed from all of them. */
  readonly ofPolicies: LogLines;
}

export type Facts = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Facts of every line. */
  readonly base?: Facts;
  /** Removes secret values from the text of errors, which policies and libraries have written. */
  readonly redact: (text: string) => string;
  /** Default: standard output, see `standardOutput`. */
  readonly destination?: DestinationStream;
}

export function createLog({ level, base, redact, destination }: LogOptions): Log {
  const output =
    destination === undefined
      ? standardOutput((lines) => log.warn({ lines }, "log lines were dropped: their reader is too slow"))
      : undefined;
  const write = (line: string): void => void (destination ?? output)?.write(line);
  const lines = (to: DestinationStream): LogLines => {
    const logger = pino(
      {
        level,
        base: base ?? null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        redact: { paths: secretFields, censor: "[redacted]" },
        serializers: { err: (error: unknown) => ErrorFacts.read(error) ?? serializeError(error, redact) },
      },
      to,
    );
    return {
      debug: (facts, message) => logger.debug(facts, message),
      info: (facts, message) => logger.info(facts, message),
      warn: (facts, message) => logger.warn(facts, message),
      error: (facts, message) => logger.error(facts, message),
    };
  };
  const log = lines({ write });
  return {
    ...log,
    ofPolicies: lines({ write: (line) => write(redact(line)) }),
    flush: () => output?.flush(),
    beside: write,
    droppedLines: () => output?.droppedLines() ?? 0,
  };
}

/** An error that has been read: what goes under `err` where more must not be seen than the log itself knows of. */
export class ErrorFacts {
  readonly #facts: unknown;

  /** @param redact what removes it; the log's own is not applied again */
  constructor(error: unknown, redact: (text: string) => string) {
    this.#facts = serializeError(error, redact);
  }

  /** Undefined when it is something else. Unlike `instanceof` it runs no code of a Proxy. */
  static read(error: unknown): unknown {
    return typeof error === "object" && error !== null && #facts in error ? error.#facts : undefined;
  }
}

/** Fields whose values are never written, at the top of the facts or one level down. */
const secretFields = ["authorization", "cookie", "password", "secret", "token", "key"].flatMap((name) => [name, `*.${name}`]);

/**
 * Standard output that nobody waits for: up to 8 MiB may wait for a slow reader, lines beyond are dropped and `dropped` is told how many.
 * What waits is written out when the process exits.
 */
function standardOutput(dropped: (lines: number) => void): LineOutput {
  const output = createLineOutput(1, { waitingBytesMax: 8 * 1024 * 1024, dropped });
  process.on("exit", output.flush);
  return output;
}

/** Never throws: a getter or a Proxy in what was thrown may hide its causes or all of it, and the line is written all the same. */
function serializeError(error: unknown, redact: (text: string) => string): unknown {
  return attempt(() => withCauses(error, redact)) ?? attempt(() => withoutCauses(error, redact)) ?? "what was thrown cannot be read";
}

function withCauses(error: unknown, redact: (text: string) => string): unknown {
  if (!(error instanceof Error)) return redact(String(error));
  const { type, stack } = stdSerializers.err(error);
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { type: String(type), ...code, message: redact(messageOf(error, new Set())), stack: redact(String(stack)) };
}

/** The messages of an error and its causes, each once: many a message ends with its cause's. */
function messageOf(error: Error, above: Set<Error>): string {
  const { cause, message } = error;
  if (!(cause instanceof Error) || above.has(cause)) return message;
  const below = messageOf(cause, above.add(error));
  return message.endsWith(cause.message) ? message + below.slice(cause.message.length) : `${message}: ${below}`;
}

function withoutCauses(error: unknown, redact: (text: string) => string): unknown {
  if (!(error instanceof Error)) return undefined;
  return { type: String(error.name), message: redact(String(error.message)), stack: redact(String(error.stack)) };
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}
