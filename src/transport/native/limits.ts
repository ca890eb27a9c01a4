import type { HpackLimits } from "./hpack/hpack-decoder.ts";

/** How often something may happen on one connection: so often at once, and so often per second from then on. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** What one peer may cost. Whoever passes a bound of a connection loses the connection, of a stream the stream. */
export interface NativeLimits extends HpackLimits {
  /**
   * Connections at once. One more takes the place of the one that has been without streams for longest; when all have streams, it is closed when it
   * comes. TLS handshakes are counted apart, to the same number.
   */
  readonly connectionsMax: number;
  /** Streams open at once on a connection (SETTINGS_MAX_CONCURRENT_STREAMS). More are refused, so it is far above what Envoy's breakers let through. */
  readonly streamsMax: number;
  /** Of one header block as it is sent, CONTINUATION included, bytes. */
  readonly headerBlockBytesMax: number;
  /** What a stream may send before it is read (SETTINGS_INITIAL_WINDOW_SIZE), bytes. */
  readonly streamWindowBytes: number;
  /** What all streams of a connection may send before it is read, bytes. */
  readonly connectionWindowBytes: number;
  /** What is kept of messages that are not whole or not read, per connection, in messages of the largest size. */
  readonly heldMessagesMax: number;
  /** Above it a stream's sender is asked to wait, bytes. */
  readonly sendHighMarkBytes: number;
  /** Written to the socket and not taken by the peer: above it answers wait in their streams, bytes. */
  readonly writtenHighMarkBytes: number;
  /** The same, where a connection that still asks for more is closed, bytes. */
  readonly writtenMaxBytes: number;
  /** Answers that wait in streams, per connection, in messages of the largest size. */
  readonly waitingMessagesMax: number;
  /** What the streams of all connections together may keep is measured by so many streams (`streamBytes`, http2/memory.ts) ... */
  readonly allStreamsMax: number;
  /** ... and by so many messages of the largest size. Above it a connection that has the `connectionsMax`th part gets no more. */
  readonly allMessagesMax: number;
  /** Streams that are reset before they have ended, by either side. Envoy's ordinary resets come after the end and do not count. */
  readonly resets: Rate;
  readonly settings: Rate;
  readonly pings: Rate;
  /** Frames that bring next to nothing: empty or tiny pieces of messages and of header blocks. */
  readonly pieces: Rate;
  /** Frames that ask for nothing: windows, priorities, types that nobody knows. */
  readonly otherFrames: Rate;
  /** From connecting to the client's settings, and from the beginning of a frame or header block to its end, ms. */
  readonly incompleteMs: number;
  /** How long a connection without streams stays, ms. Longer than Envoy's own hour, so that Envoy closes first. */
  readonly idleMs: number;
  /** How long written bytes may stay untaken, ms. */
  readonly stalledMs: number;
  /** How long a peer has to close after the engine has said goodbye, ms. */
  readonly lingerMs: number;
  /** How long a draining connection waits for the answer to its PING, ms. */
  readonly drainPingMs: number;
}

export const defaultLimits: NativeLimits = {
  connectionsMax: 1024,
  streamsMax: 16_384,
  headerTableBytesMax: 4096,
  headerBlockBytesMax: 64 * 1024,
  headerListBytesMax: 64 * 1024,
  headerCountMax: 256,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 16 * 1024 ** 2,
  heldMessagesMax: 32,
  sendHighMarkBytes: 64 * 1024,
  writtenHighMarkBytes: 256 * 1024,
  writtenMaxBytes: 4 * 1024 ** 2,
  waitingMessagesMax: 32,
  allStreamsMax: 32_768,
  allMessagesMax: 32,
  resets: { burst: 20_000, perSecond: 10_000 },
  settings: { burst: 100, perSecond: 10 },
  pings: { burst: 1000, perSecond: 100 },
  pieces: { burst: 10_000, perSecond: 1000 },
  otherFrames: { burst: 100_000, perSecond: 50_000 },
  incompleteMs: 10_000,
  idleMs: 2 * 60 * 60_000,
  stalledMs: 30_000,
  lingerMs: 1000,
  drainPingMs: 1000,
};
