import { type DestinationStream, pino, stdSerializers } from "pino";

/** Structured logging. Lines are JSON: facts as fields, `msg` for people. */
export interface Log {
  debug(facts: Facts, message: string): void;
  info(facts: Facts, message: string): void;
  warn(facts: Facts, message: string): void;
  error(facts: Facts, message: string): void;
  /** Writes out what is still buffered; for the end of the process. */
  flush(): void;
}

export type Facts = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Removes secret values from the text of errors, which policies and libraries have written. */
  readonly redact: (text: string) => string;
  /** Default: standard output, synchronously, so that the last line before a crash is there. */
  readonly destination?: DestinationStream;
}

/** Fields whose values are never written, wherever they stand in the facts. */
const secretFields = ["authorization", "cookie", "password", "secret", "token", "key"].flatMap((name) => [name, `*.${name}`]);

export function createLog({ level, redact, destination }: LogOptions): Log {
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields, censor: "[redacted]" },
      serializers: { err: (error: unknown) => serializeError(error, redact) },
    },
    destination ?? pino.destination({ sync: true }),
  );
  return {
    debug: (facts, message) => log.debug(facts, message),
    info: (facts, message) => log.info(facts, message),
    warn: (facts, message) => log.warn(facts, message),
    error: (facts, message) => log.error(facts, message),
    flush: () => log.flush(),
  };
}

function serializeError(error: unknown, redact: (text: string) => string): unknown {
  if (!(error instanceof Error)) return redact(String(error));
  const { type, message, stack } = stdSerializers.err(error);
  return { type, message: redact(message), stack: redact(stack) };
}
