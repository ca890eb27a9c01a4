/** A real OpenID provider on loopback, with keys that are rotated and a life that ends and begins again. */
import { createServer, type RequestListener, type Server } from "node:http";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import Provider from "oidc-provider";
import { portOf } from "../../scripts/processes/free-port.ts";

export interface OidcIssuer {
  /** As in the tokens' `iss`. */
  readonly issuer: string;
  readonly jwksUri: string;
  /** How often the key set was asked for. */
  readonly jwksRequests: number;
  /** A new access token, by client credentials. */
  token(): Promise<string>;
  /** From now on tokens are signed with another key, the first in the set; the old ones stay in it. */
  rotate(): Promise<void>;
  /** Only the newest key stays. */
  retire(): void;
  /** Refuses connections and breaks those that are open. */
  stop(): Promise<void>;
  /** On the same port again. */
  start(): Promise<void>;
  /** Answers every request with this status; undefined: as it should. */
  failWith(status: number | undefined): void;
}

export const oidcAudience = "urn:demo:api";
const tokenSeconds = 30 * 86_400;

export async function startOidcIssuer(): Promise<OidcIssuer> {
  let keys: readonly JWK[] = [];
  let made = 0;
  let handle: RequestListener = () => {};
  let jwksRequests = 0;
  let failure: number | undefined;
  let server: Server = listener();
  await listen(server, 0);
  const port = portOf(server);
  const issuer = `http://127.0.0.1:${port}`;

  function listener(): Server {
    return createServer((request, response) => {
      if (request.url === "/jwks") jwksRequests += 1;
      if (failure === undefined) handle(request, response);
      else response.writeHead(failure).end();
    });
  }

  async function addKey(): Promise<void> {
    made += 1;
    const algorithm = made % 2 === 1 ? "ES256" : "RS256";
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
    keys = [{ ...(await exportJWK(privateKey)), alg: algorithm, use: "sig", kid: `key-${made}` }, ...keys];
    serve();
  }

  function serve(): void {
    handle = new Provider(issuer, configuration(keys)).callback();
  }

  await addKey();
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    get jwksRequests() {
      return jwksRequests;
    },
    async token() {
      const response = await fetch(`${issuer}/token`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa("service:secret")}` },
        body: new URLSearchParams({ grant_type: "client_credentials", scope: "read" }),
      });
      const answer: unknown = await response.json();
      if (typeof answer !== "object" || answer === null || !("access_token" in answer)) throw new Error(JSON.stringify(answer));
      return String(answer.access_token);
    },
    rotate: addKey,
    retire() {
      keys = keys.slice(0, 1);
      serve();
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
    async start() {
      server = listener();
      await listen(server, port);
    },
    failWith(status) {
      failure = status;
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

function configuration(keys: readonly JWK[]): Readonly<Record<string, unknown>> {
  const alg = keys[0]?.alg;
  const client = {
    client_id: "service",
    client_secret: "secret",
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: alg,
  };
  const resourceServer = {
    scope: "read write",
    audience: oidcAudience,
    accessTokenFormat: "jwt",
    accessTokenTTL: tokenSeconds,
    jwt: { sign: { alg } },
  };
  return {
    jwks: { keys },
    adapter: Nowhere,
    ttl: { ClientCredentials: tokenSeconds },
    clients: [client],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => oidcAudience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => resourceServer,
      },
    },
  };
}

/** Keeps nothing: its tokens say all there is to know. With no adapter of its own the provider warns of its default one. */
class Nowhere {
  async upsert(): Promise<void> {}
  async find(): Promise<undefined> {}
  async findByUid(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
  async consume(): Promise<void> {}
}
