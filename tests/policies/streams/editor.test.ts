import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { characterEditor } from "../../../policies/lib/streams/characters.ts";
import { type BodyEditor, BodyFault, editing } from "../../../policies/lib/streams/editor.ts";
import { lineEditor } from "../../../policies/lib/streams/lines.ts";
import { wholeEditor } from "../../../policies/lib/streams/whole.ts";
import { cutAt, cuts, edited } from "./chunks.ts";

const capitals: BodyEditor = { chunk: (bytes) => Buffer.from(Buffer.from(bytes).toString().toUpperCase()), end: () => Buffer.from("e") };
const refusing: BodyEditor = {
  chunk(bytes) {
    if (bytes.includes(0x21)) throw new BodyFault("no exclamations");
    return bytes;
  },
  end: () => undefined,
};
const swallowing: BodyEditor = { chunk: () => undefined, end: () => undefined };

describe("editors in a row", () => {
  test("none leave a body as it is", () => {
    expect(edited([], [Buffer.from("a"), Buffer.from("b")]).given).toEqual(["a", "b", ""]);
  });

  test("what one gives goes to the next, at the end too", () => {
    const lines = lineEditor(100, (line) => Buffer.concat([line, Buffer.from("!")]));
    expect(edited([lines, capitals], [Buffer.from("a\nb"), Buffer.from("c")]).given).toEqual(["A!\n", "", "BC!e"]);
  });

  test("nothing is given once one has refused to go on, and only the first reason counts", () => {
    const result = edited(
      [refusing, capitals],
      ["a", "b!", "c!"].map((text) => Buffer.from(text)),
    );
    expect(result).toMatchObject({ given: ["A", "", "", ""], reason: "no exclamations" });
  });

  test("an editor behind one that gives nothing is not called with nothing", () => {
    expect(edited([swallowing, capitals], [Buffer.from("a")]).given).toEqual(["", "e"]);
  });

  test("a fault of the editor itself is thrown, not taken for a body that is wrong", () => {
    const broken: BodyEditor = {
      chunk() {
        throw new TypeError("a bug");
      },
      end: () => undefined,
    };
    expect(() => edited([broken], [Buffer.from("a")])).toThrow(TypeError);
  });
});

describe("a body as a whole", () => {
  const reversed = (): BodyEditor => wholeEditor(5, (body) => Buffer.from(body).reverse());

  test("is given at the end", () => {
    expect(edited([reversed()], cutAt(Buffer.from("abcde"), [1, 3]))).toMatchObject({ given: ["", "", "", "edcba"], reason: undefined });
  });

  test("may be as large as the limit and no larger", () => {
    expect(edited([reversed()], cutAt(Buffer.from("abcdef"), [1, 3]))).toMatchObject({
      bytes: Buffer.from(""),
      reason: "the body is larger than 5 bytes",
    });
  });

  test("is not made of nothing", () => {
    const never = wholeEditor(5, () => {
      throw new Error("edited");
    });
    expect(edited([never], []).given).toEqual([""]);
  });
});

describe("characters", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", "\u{10ffff}", "\u0800") }).map((value) => Buffer.from(value));

  test("are never cut", () => {
    fc.assert(
      fc.property(text, cuts, (body, places) => {
        const editor = characterEditor();
        let given = 0;
        let taken = 0;
        for (const chunk of cutAt(body, places)) {
          const part = editor.chunk(chunk) ?? new Uint8Array();
          expect(isUtf8(part)).toBe(true);
          taken += chunk.length;
          given += part.length;
          expect(taken - given).toBeLessThanOrEqual(3);
        }
        expect(editor.end()).toBeUndefined();
        expect(given).toBe(body.length);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("are all that passes: a body goes through exactly when it is UTF-8", () => {
    const bytes = fc.array(
      fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0xf0, 0x9f, 0x98, 0x80, 0xf5, 0xff),
      {
        maxLength: 8,
      },
    );
    let passed = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          bytes.map((values) => Buffer.from(values)),
          text,
        ),
        cuts,
        (body, places) => {
          const result = edited([characterEditor()], cutAt(body, places));
          expect(result.reason === undefined).toBe(isUtf8(body));
          if (result.reason !== undefined) return;
          passed++;
          expect(result.bytes).toEqual(body);
        },
      ),
      { seed: 2, numRuns: 2_000 },
    );
    expect(passed).toBeGreaterThan(200);
  });
});

test("chunks are bounded in what they cost, however small they are", () => {
  const stream = { abort: () => {} };
  const bytes = new Uint8Array(1);
  const transform = editing(
    stream,
    wholeEditor(1_000_000, (body) => body),
  );
  for (let count = 0; count < 500_000; count++) void transform.chunk(bytes);
  expect(transform.end()).toHaveLength(500_000);
});
