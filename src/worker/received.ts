import type { ReceivedHeaders } from "./received-headers.ts";

/** What the kernel hands over of a request. */
export interface ReceivedRequest {
  /** The exchange's id, which replies carry as `x-decision-id`. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly headers: ReceivedHeaders;
  /** False when the message ends with its headers. */
  readonly hasBody: boolean;
  /** CONNECT, or a request to change the protocol: its body never ends. */
  readonly upgrade: boolean;
  readonly route: ReceivedRoute;
  readonly source: ReceivedSource;
}

export interface ReceivedRoute {
  /** Envoy's route name, `""` for an unnamed route. */
  readonly name: string;
  /** Envoy's route metadata as far as the expressions asked for it: path to value. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Who has sent the request to Envoy. */
export interface ReceivedSource {
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** What the kernel hands over of a response: `:status` is among the headers. */
export interface ReceivedResponse {
  readonly headers: ReceivedHeaders;
  /** False when the message ends with its headers. */
  readonly hasBody: boolean;
  /** Server-sent events: its body may never end. */
  readonly eventStream: boolean;
}
