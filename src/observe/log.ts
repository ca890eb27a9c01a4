import { type DestinationStream, pino, stdSerializers } from "pino";

/** Structured logging. Lines are JSON: facts as fields, `msg` for people. An error goes under `err`. */
export interface Log {
  debug(facts: Facts, message: string): void;
  info(facts: Facts, message: string): void;
  warn(facts: Facts, message: string): void;
  error(facts: Facts, message: string): void;
  /** Writes out what is still buffered, and waits for it; for the end of the process. An exit does it by itself. */
  flush(): void;
}

export type Facts = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Removes secret values from the text of errors, which policies and libraries have written. */
  readonly redact: (text: string) => string;
  /** Default: standard output, see `standardOutput`. */
  readonly destination?: DestinationStream;
}

export function createLog({ level, redact, destination }: LogOptions): Log {
  const output =
    destination === undefined
      ? standardOutput((lines) => log.warn({ lines }, "log lines were dropped: their reader is too slow"))
      : undefined;
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields, censor: "[redacted]" },
      serializers: { err: (error: unknown) => serializeError(error, redact) },
    },
    destination ?? output,
  );
  return {
    debug: (facts, message) => log.debug(facts, message),
    info: (facts, message) => log.info(facts, message),
    warn: (facts, message) => log.warn(facts, message),
    error: (facts, message) => log.error(facts, message),
    flush: () => output?.flushSync(),
  };
}

/** Fields whose values are never written, at the top of the facts or one level down. */
const secretFields = ["authorization", "cookie", "password", "secret", "token", "key"].flatMap((name) => [name, `*.${name}`]);

const bufferedBytesMax = 8 * 1024 * 1024;

/**
 * Standard output, written behind the event loop's back: a synchronous write waits for the reader of the pipe, and a reader that hangs would
 * stop every exchange. Beyond 8 MiB that nobody reads, lines are dropped, and `dropped` is told how many when there is room again.
 */
function standardOutput(dropped: (lines: number) => void): ReturnType<typeof pino.destination> {
  const output = pino.destination({ dest: 1, sync: false, maxLength: bufferedBytesMax });
  let lines = 0;
  output.on("drop", () => {
    lines += 1;
  });
  output.on("drain", () => {
    if (lines === 0) return;
    const count = lines;
    lines = 0;
    dropped(count);
  });
  return output;
}

function serializeError(error: unknown, redact: (text: string) => string): unknown {
  if (!(error instanceof Error)) return redact(String(error));
  const { type, message, stack } = stdSerializers.err(error);
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { type, ...code, message: redact(message), stack: redact(stack) };
}
