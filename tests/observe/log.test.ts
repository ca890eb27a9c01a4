import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { createLog, type Facts, type LogOptions } from "../../src/observe/log.ts";

function linesOf(write: (log: ReturnType<typeof createLog>) => void, level: LogOptions["level"] = "debug"): Record<string, unknown>[] {
  const lines: string[] = [];
  const redact = (text: string): string => text.replaceAll("hunter2", "[redacted]");
  write(createLog({ level, redact, destination: { write: (line) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line));
}

const lineOf = (facts: Facts, message = "m"): Record<string, unknown> => linesOf((log) => log.info(facts, message))[0] ?? {};

describe("a line", () => {
  test("holds time, level, facts and message, and nothing of the machine", () => {
    const { time, ...rest } = lineOf({ id: "7", chain: "api" }, "a policy replied");
    expect(rest).toEqual({ level: "info", id: "7", chain: "api", msg: "a policy replied" });
    expect(String(time)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test("stays one line whatever the facts hold", () => {
    const lines: string[] = [];
    createLog({ level: "info", redact: (text) => text, destination: { write: (line) => void lines.push(line) } }).info(
      { path: 'a\n{"level":"error"}' },
      "x\ny",
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toContain("\n");
  });

  test("is written from the level on", () => {
    const all = (log: ReturnType<typeof createLog>): void => {
      for (const level of ["debug", "info", "warn", "error"] as const) log[level]({}, level);
    };
    expect(linesOf(all, "warn").map(({ msg }) => msg)).toEqual(["warn", "error"]);
    expect(linesOf(all, "debug")).toHaveLength(4);
  });
});

describe("an error with causes", () => {
  const caused = (message: string, cause: unknown): Error => new Error(message, { cause });
  test.each([
    ["says what each of them says", caused("away", caused("refused", new Error("ECONNREFUSED"))), "away: refused: ECONNREFUSED"],
    ["says once what it has taken over", caused("cannot read x: refused", new Error("refused")), "cannot read x: refused"],
    [
      "says what the cause of what it has taken over says",
      caused("cannot read x: refused", caused("refused", new Error("because"))),
      "cannot read x: refused: because",
    ],
  ])("%s", (_what, error, message) => {
    expect(lineOf({ err: error }).err).toMatchObject({ message });
  });

  test("that go round in a circle ends", () => {
    const one = new Error("one");
    const two = caused("two", one);
    one.cause = two;
    expect(lineOf({ err: one }).err).toMatchObject({ message: "one: two" });
  });
});

describe("secrets", () => {
  test.each(["authorization", "cookie", "password", "secret", "token", "key"])(
    "a field `%s` is not written, nor one level down",
    (name) => {
      expect(JSON.stringify(lineOf({ [name]: "hunter3", headers: { [name]: "hunter3" } }))).not.toContain("hunter3");
    },
  );

  test("known values are cut out of errors: message, stack, causes", () => {
    const error = new TypeError("no hunter2", { cause: new Error("because hunter2") });
    const line = lineOf({ err: error });
    expect(JSON.stringify(line)).not.toContain("hunter2");
    expect(line.err).toMatchObject({
      type: "TypeError",
      message: "no [redacted]: because [redacted]",
      stack: expect.stringContaining("log.test.ts"),
    });
    expect(JSON.stringify(lineOf({ err: "thrown hunter2" }))).not.toContain("hunter2");
  });

  test("fields that a library has put on an error stay out, except its code", () => {
    const error = Object.assign(new Error("m"), { code: "ECONNRESET", config: { headers: "hunter3" } });
    expect(Object.keys(Object(lineOf({ err: error }).err)).toSorted()).toEqual(["code", "message", "stack", "type"]);
  });
});

describe("what was thrown and cannot be read is logged all the same", () => {
  const fails = (): never => {
    throw new Error("hunter2");
  };
  const unreadable = new Proxy({}, { get: fails, getPrototypeOf: fails, has: fails, ownKeys: fails });
  const withProperty = (name: string, descriptor: PropertyDescriptor) => Object.defineProperty(new Error("mine"), name, descriptor);

  test.each([
    ["a Proxy", unreadable],
    ["an object without a prototype", Object.create(null)],
    ["an object that cannot become text", { toString: fails }],
    ["a function whose text throws", Object.assign(() => {}, { toString: fails })],
    ["a message that throws", withProperty("message", { get: fails })],
    ["a message that is a Proxy", withProperty("message", { value: unreadable })],
    ["a stack that throws", withProperty("stack", { get: fails })],
  ])("%s", (_name, err) => {
    const line = lineOf({ err, id: "7" }, "it failed");
    expect(line).toMatchObject({ id: "7", msg: "it failed", err: expect.anything() });
    expect(JSON.stringify(line)).not.toContain("hunter2");
  });

  test.each([
    ["a Proxy as its cause", new Error("mine", { cause: unreadable })],
    ["a cause that throws", withProperty("cause", { get: fails })],
    ["a cause whose message throws", new Error("mine", { cause: withProperty("message", { get: fails }) })],
    ["a cause whose cause throws", new Error("mine", { cause: withProperty("cause", { get: fails }) })],
    ["errors that throw", Object.defineProperty(new AggregateError([], "mine"), "errors", { get: fails })],
    ["a code that throws", withProperty("code", { get: fails })],
  ])("an error with %s keeps its own message", (_name, err) => {
    const line = lineOf({ err }, "it failed");
    expect(line).toMatchObject({
      msg: "it failed",
      err: { message: expect.stringMatching(/^mine/), stack: expect.stringContaining("log.test.ts") },
    });
    expect(JSON.stringify(line)).not.toContain("hunter2");
  });
});

describe("standard output", () => {
  const program = (body: string): string[] => [
    "--input-type=module",
    "--eval",
    `import { createLog } from ${JSON.stringify(new URL("../../src/observe/log.ts", import.meta.url).href)};
     const log = createLog({ level: "info", redact: (text) => text });
     const lines = (count) => { for (let nth = 0; nth < count; nth++) log.info({ nth, pad: "x".repeat(100) }, "line"); };
     ${body}`,
  ];

  test.each(["process.exit(0)", "log.flush(); process.exit(0)", "setTimeout(() => {}, 1)"])("every line is there after %s", (end) => {
    const output = execFileSync(process.execPath, program(`lines(3000); ${end}`), { encoding: "utf8", timeout: 20_000 });
    const numbers = output
      .trimEnd()
      .split("\n")
      .map((line) => Number(JSON.parse(line).nth))
      .toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 3000 }, (_, nth) => nth));
  });

  test.each(["process.exit(0)", "log.flush()"])("a reader that is gone does not hold up %s", async (end) => {
    const child = spawn(process.execPath, program(`process.stdin.once("data", () => { lines(3000); ${end}; process.stdin.destroy(); })`), {
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdout.destroy();
    await once(child.stdout, "close");
    child.stdin.end("go");
    const [code] = await once(child, "exit", { signal: AbortSignal.timeout(20_000) });
    expect(code).toBe(0);
  });

  test("a reader that hangs stops nobody; when it goes on, it learns how many lines it has missed", async () => {
    const body = `lines(150_000); console.error("still running"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, program(body), { stdio: ["ignore", "pipe", "pipe"] });
    try {
      const [said] = await once(child.stderr, "data");
      expect(String(said)).toBe("still running\n");
      let read = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const { msg, lines } = JSON.parse(line);
        if (msg === "line") read += 1;
        else {
          expect({ msg, sum: read + lines }).toEqual({ msg: "log lines were dropped: their reader is too slow", sum: 150_000 });
          break;
        }
      }
      expect(read).toBeGreaterThan(1000);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
