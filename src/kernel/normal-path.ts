import type { ReceivedHeaders } from "../worker/received-headers.ts";
import { receivedText } from "./received-messages.ts";

/**
 * Whether every reader takes a path for the same resource (RFC 3986 6.2.2). Envoy normalises when it is told to; where it is not, a policy
 * could judge `/%61dmin` or `/admin/..;/public` and the upstream serve another path than it has judged.
 *
 * @param headers of a request as received
 */
export function isNormalPath(headers: ReceivedHeaders): boolean {
  const target = receivedText(headers, ":path");
  // RFC 9110 7.1: authority-form (CONNECT) and asterisk-form (OPTIONS) have no path.
  if (target === undefined) return receivedText(headers, ":method") === "CONNECT";
  if (target === "*") return receivedText(headers, ":method") === "OPTIONS";
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  return plain.test(path) || (absoluteVisible.test(path) && !ambiguous.test(path));
}

/** What most paths are, told by one look: nothing in it can be ambiguous. */
const plain = /^(?:\/[\w~-][\w.~-]*)+\/?$/;

/** Envoy's HTTP/2 lets bytes beyond ASCII through, which some readers take for their percent-encoding. */
const absoluteVisible = /^\/[\x21-\x7e]*$/;

/** Empty and dot segments (also with a parameter), what may end or divide a path, and percent-encoding of what needs none (RFC 3986 2.3). */
const ambiguous = /\/\/|\/\.{1,2}(?:;[^/]*)?(?:\/|$)|[\\#]|%(?:00|2f|5c)|%(?:2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/i;
