/**
 * Whether every reader takes a path for the same resource (RFC 3986 6.2.2). Envoy normalises when it is told to; where it is not, a policy
 * could judge `/%61dmin` or `/admin/..;/public` and the upstream serve another path than it has judged.
 *
 * @param method `:method` as received
 * @param target `:path` as received, with its query
 */
export function isNormalPath(method: string | undefined, target: string | undefined): boolean {
  // RFC 9110 7.1: authority-form (CONNECT) and asterisk-form (OPTIONS) have no path.
  if (target === undefined) return method === "CONNECT";
  if (target === "*") return method === "OPTIONS";
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  return absoluteVisible.test(path) && !ambiguous.test(path);
}

/** Envoy's HTTP/2 lets bytes beyond ASCII through, which some readers take for their percent-encoding. */
const absoluteVisible = /^\/[\x21-\x7e]*$/;

/** Empty and dot segments (also with a parameter), what may end or divide a path, and percent-encoding of what needs none (RFC 3986 2.3). */
const ambiguous = /\/\/|\/\.{1,2}(?:;[^/]*)?(?:\/|$)|[\\#]|%(?:00|2f|5c)|%(?:2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/i;
