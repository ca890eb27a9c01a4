/** A configuration of a size, whose chains do what chains do: who is it, may they, tell the upstream, stamp the answer. */
export function largeConfiguration({ routes, chains }: { readonly routes: number; readonly chains: number }): string {
  return [
    "version: 1",
    "chains:",
    ...Array.from({ length: chains }, (_, index) => chain(index)),
    "routes:",
    ...Array.from({ length: routes }, (_, index) => `  route-${index}: chain-${index % chains}`),
    "",
  ].join("\n");
}

function chain(index: number): string {
  return `  chain-${index}:
    description: What partner ${index} may do
    steps:
      - policy: jwt-validation@2
        name: auth
        parameters:
          issuers:
            - issuer: https://login.example.com/${index}
              audiences: [api-${index}]
              jwks: { uri: "https://login.example.com/${index}/keys" }
          require: { scopes: { allOf: [orders.read] } }
          claimsToHeaders: [{ claim: sub, header: x-user }]
      - policy: authorize@1
        parameters:
          rules:
            - allow: { when: 'request.method in ["GET", "HEAD"] && "orders.read" in metadata.auth.?scopes.orValue([])', code: readers }
            - allow: { when: '"orders.write" in metadata.auth.?scopes.orValue([]) && request.path.matches("^/orders/[0-9]+$")', code: writers }
      - policy: set-header@2
        name: identity
        parameters:
          request: [{ setFrom: { name: x-subject, expression: metadata.auth.subject } }]
          response: [{ remove: { name: x-powered-by } }, { set: { name: cache-control, value: private } }]
      - policy: set-header@1.0.0
        name: debug
        when: request.headers[?"x-debug"].orValue("") == "${index}"
        parameters: { request: [{ name: x-trace-level, set: full }] }
        onError: skip
      - policy: set-header@2.0.0
        name: stamp
        parameters: { response: [{ set: { name: x-chain, value: chain-${index} } }] }`;
}
