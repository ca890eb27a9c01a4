/**
 * Whether every reader takes a path for the same resource (RFC 3986 6.2.2). Envoy normalises when it is told to; where it is not, a policy
 * could judge `/admin/..;/public` and the upstream serve `/public`, or the other way round.
 *
 * @param target `:path` as received, with its query
 */
export function isNormalPath(target: string): boolean {
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  // RFC 9110 7.1: asterisk-form (OPTIONS) and authority-form (CONNECT) have no path.
  if (path === "*" || path === "") return true;
  if (!path.startsWith("/")) return false;
  return !/\/\/|\\|%2f|%5c|\/(?:\.|%2e){1,2}(?:;[^/]*)?(?:\/|$)/i.test(path);
}
