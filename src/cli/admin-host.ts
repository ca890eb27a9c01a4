/** Where to reach an admin port that is bound to this host: one that listens on all of this machine's addresses is on its loopback too. */
export function adminHost(bound: string): string {
  return { "0.0.0.0": "127.0.0.1", "::": "::1" }[bound] ?? bound;
}
