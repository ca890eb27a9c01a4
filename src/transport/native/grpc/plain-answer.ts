import type { SentField } from "../hpack/hpack-encoder.ts";
import type { Http2Stream, StreamReceiver } from "../http2/stream.ts";

/** A response of plain HTTP, for what is no gRPC: given when the request has ended, whatever it brought. */
export function plainAnswer(stream: Http2Stream, status: "405" | "415", text: string): StreamReceiver {
  const fields: readonly SentField[] = [
    { name: ":status", value: status, form: "literal" },
    { name: "content-type", value: "text/plain; charset=utf-8", form: "literal" },
    ...(status === "405" ? ([{ name: "allow", value: "POST", form: "literal" }] as const) : []),
  ];
  return {
    data: (_bytes, start, end) => stream.consumed(end - start),
    ended() {
      stream.respond(fields);
      stream.write(noBytes, Buffer.from(text));
      stream.end([]);
    },
    writable: () => {},
    called: () => {},
    gone: () => {},
  };
}

const noBytes = Buffer.of();
