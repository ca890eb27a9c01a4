import fc from "fast-check";
import { expect, test } from "vitest";
import { OpenStreams } from "./open-streams.ts";
import { Output } from "./output.ts";
import { Http2Stream, type StreamHost } from "./stream.ts";

const output = new Output(() => {});
const host: StreamHost = {
  output,
  streamWindowBytes: 65_535,
  sendHighMarkBytes: 1,
  blocked: false,
  waitingChanged: () => {},
  holdChanged: () => true,
  waits: () => {},
  finished: () => {},
  attendSoon: () => {},
};

/** Neighbours on a page, on other pages, at the end of what an id can be. */
const id = fc.oneof(fc.nat(200), fc.nat(5_000), fc.integer({ min: 2 ** 30 - 300, max: 2 ** 30 - 1 })).map((half) => 2 * half + 1);
const step = fc.record({ kind: fc.constantFrom("add", "add", "delete", "clear-seldom"), id, luck: fc.nat(99) });

test("what was opened and not closed is found, whatever came before", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const streams = new OpenStreams();
      const model = new Map<number, Http2Stream>();
      for (const { kind, id, luck } of steps) {
        if (kind === "add" && !model.has(id)) {
          const stream = new Http2Stream(id, host, -1, 0);
          streams.add(stream);
          model.set(id, stream);
        } else if (kind === "delete") {
          streams.delete(id);
          model.delete(id);
        } else if (kind === "clear-seldom" && luck === 0) {
          streams.clear();
          model.clear();
        }
        expect(streams.get(id)).toBe(model.get(id));
        expect(streams.get(id - 1)).toBeUndefined();
        expect(streams.size).toBe(model.size);
      }
      for (const [id, stream] of model) expect(streams.get(id)).toBe(stream);
      expect(new Set(streams.all())).toEqual(new Set(model.values()));
    }),
    { seed: 23, numRuns: 500 },
  );
});
