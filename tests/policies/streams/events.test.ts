import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataOf, eventEditor, type StreamEvent, withData } from "../../../policies/lib/streams/events.ts";
import { cutAt, cuts, edited } from "./chunks.ts";

const chunks = (...texts: string[]) => texts.map((text) => Buffer.from(text));
const capitals = (event: StreamEvent): StreamEvent => {
  const data = dataOf(event);
  return data === undefined || data === data.toUpperCase() ? event : withData(event, data.toUpperCase());
};

describe("events of the specification's examples", () => {
  test.each([
    ["three lines of data are one text", "data: YHOO\ndata: +2\ndata: 10\n\n", ["YHOO\n+2\n10"]],
    [
      "a comment, an id, an id that is reset",
      ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
      [undefined, "first event", "second event", " third event"],
    ],
    ["empty data, two empty lines, and what is not ended", "data\n\ndata\ndata\n\ndata:", ["", "\n", ""]],
    ["one blank goes, a second stays", "data:test\n\ndata: test\n\ndata:  test\n\n", ["test", "test", " test"]],
    ["any end of a line", "data: a\rdata: b\r\rdata: c\r\n\r\ndata: d\n\n", ["a\nb", "c", "d"]],
    ["a byte order mark, once", "\ufeffdata: a\n\n\ufeffdata: b\n\n", ["a", undefined]],
    ["a mark of which nothing follows but blank lines", "\ufeff\n\n\n", []],
    ["names are exact", "Data: a\n data: b\ndata : c\nevent: x\n\n", [undefined]],
  ])("%s", (_, body, expected) => {
    const seen: (string | undefined)[] = [];
    const editor = eventEditor(1_000, (event) => {
      seen.push(dataOf(event));
      return event;
    });
    expect(edited([editor], chunks(body)).bytes.toString()).toBe(body);
    expect(seen).toEqual(expected);
  });
});

test("an event leaves with the first byte of its blank line", () => {
  const given = edited(
    [eventEditor(100, (event) => event)],
    chunks("data: a\n", "\n", "da", "ta: b\r", "\n", "\r", "\n", ": c\n\ndata: d", "\n\n"),
  ).given;
  expect(given).toEqual(["", "data: a\n\n", "", "", "", "data: b\r\n\r", "\n", ": c\n\n", "data: d\n\n", ""]);
});

test("a changed event keeps its other lines and their order, and its blank line", () => {
  const body = ": note\nevent: x\ndata: a\nid: 7\ndata: b\r\nretry: 10\nother:y\n\r\n";
  expect(edited([eventEditor(100, capitals)], chunks(body)).bytes.toString()).toBe(
    ": note\nevent: x\ndata: A\ndata: B\nid: 7\nretry: 10\nother: y\n\r\n",
  );
});

test("what is not ended is edited too, and is not ended by it", () => {
  expect(edited([eventEditor(100, capitals)], chunks("data: a\n\ndata: b\nid: 1")).bytes.toString()).toBe("data: A\n\ndata: B\nid: 1\n");
});

test("an event that is taken out leaves nothing but the mark before it", () => {
  const editor = eventEditor(100, (event) => (dataOf(event) === "a" ? undefined : event));
  expect(edited([editor], chunks("\ufeffdata: a\n\ndata: b\n\ndata: a\n\n")).bytes.toString()).toBe("\ufeffdata: b\n\n");
});

test("bytes that are no UTF-8 are to an edit what they are to a client, and leave as they came when it changes nothing", () => {
  const body = Buffer.concat([Buffer.from("data: a"), Buffer.from([0xff]), Buffer.from("\n\n")]);
  const seen: (string | undefined)[] = [];
  const editor = eventEditor(100, (event) => {
    seen.push(dataOf(event));
    return event;
  });
  expect(edited([editor], [body]).bytes).toEqual(body);
  expect(seen).toEqual(["a\ufffd"]);
});

test.each([
  ["as large as the limit", "data: abc\n\n", undefined],
  ["a byte more", "data: abcd\n\n", "an event is larger than 11 bytes"],
  ["not ended", "data: abcdef", "an event is larger than 11 bytes"],
  ["of many lines", "a\nb\nc\nd\ne\nf\n", "an event is larger than 11 bytes"],
])("the largest event: %s", (_, body, reason) => {
  for (const places of [[], [3], Array.from({ length: 12 }, (__, place) => place)]) {
    expect(edited([eventEditor(11, (event) => event)], cutAt(Buffer.from(body), places)).reason).toBe(reason);
  }
});

test.each([[{ name: "id", value: "a\nb" }], [{ name: "id", value: "a\rb" }], [{ name: "a:b", value: "" }], [{ name: "a\nb", value: "" }]])(
  "a field that would be another one is refused: %j",
  (field) => {
    expect(() => edited([eventEditor(100, () => [field])], chunks("data: a\n\n"))).toThrow(TypeError);
  },
);

test("data is set where it stood, or behind everything", () => {
  expect(withData([{ name: "id", value: "1" }], "a\r\nb\rc")).toEqual([
    { name: "id", value: "1" },
    ...["a", "b", "c"].map((value) => ({ name: "data", value })),
  ]);
});

describe("any chunks", () => {
  const line = fc.constantFrom("data: a", "data:b", "data", "id: 1", ": note", "event: x", "data: é😀", "data:  C", "other");
  const end = fc.constantFrom("\n", "\r", "\r\n");
  const body = fc
    .tuple(
      fc.constantFrom("", "\ufeff"),
      fc.array(
        fc.oneof(
          fc.tuple(line, end).map((parts) => parts.join("")),
          end,
          fc.tuple(end, end).map((parts) => parts.join("")),
        ),
        { maxLength: 20 },
      ),
      fc.constantFrom("", "data: x"),
    )
    .map(([mark, lines, rest]) => `${mark}${lines.join("")}${rest}`);

  test("give what the whole gives", () => {
    fc.assert(
      fc.property(body, cuts, (text, places) => {
        const bytes = Buffer.from(text);
        for (const edit of [capitals, (event: StreamEvent) => (event.length > 2 ? undefined : event)]) {
          const whole = edited([eventEditor(1_000, edit)], [bytes]);
          expect(edited([eventEditor(1_000, edit)], cutAt(bytes, places)).bytes.toString()).toBe(whole.bytes.toString());
        }
      }),
      { seed: 1, numRuns: 1_000 },
    );
  });

  test("give a client the edited events, and the same ones as before where nothing is edited", () => {
    let changed = 0;
    fc.assert(
      fc.property(body, cuts, (text, places) => {
        const bytes = Buffer.from(text);
        const result = edited([eventEditor(1_000, capitals)], cutAt(bytes, places)).bytes.toString();
        expect(dispatched(result)).toEqual(dispatched(text).map((event) => ({ ...event, data: event.data.toUpperCase() })));
        if (result !== text) changed++;
        expect(edited([eventEditor(1_000, (event) => event)], cutAt(bytes, places)).bytes).toEqual(bytes);
      }),
      { seed: 2, numRuns: 1_000 },
    );
    expect(changed).toBeGreaterThan(100);
  });
});

/** What a client dispatches: WHATWG HTML 9.2.6, read line by line from a text that is there as a whole. */
function dispatched(text: string): readonly { readonly type: string; readonly data: string; readonly id: string }[] {
  const events: { type: string; data: string; id: string }[] = [];
  let [data, type, id] = ["", "", ""];
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  // What is not ended by a line end is no line.
  for (const line of lines.slice(0, -1)) {
    if (line === "") {
      if (data !== "") events.push({ type: type || "message", data: data.slice(0, -1), id });
      [data, type] = ["", ""];
      continue;
    }
    const [, name = line, value = ""] = /^([^:]*):? ?([\s\S]*)$/.exec(line.includes(":") ? line : `${line}:`) ?? [];
    if (name === "data") data += `${value}\n`;
    if (name === "event") type = value;
    if (name === "id") id = value;
  }
  return events;
}
