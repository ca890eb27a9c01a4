import { generateKeyPairSync, sign } from "node:crypto";
import { demoConfig } from "../processes/demo-configs.ts";

/** Who issues the demo's tokens, with a key that is new each time. */
export interface DemoIssuer {
  /** `configs/demo/policies.yaml`, with this issuer's public key in it. */
  policies(): Promise<string>;
  /** A token with the claims that the demo's routes ask for, changed by these; undefined removes. Good for 12 hours. */
  token(changes?: Readonly<Record<string, unknown>>): string;
}

/** In `configs/demo/policies.yaml`: a public key whose private one nobody has kept. */
const placeholder = "XxWXwNP80QMx7PPUp5W-_pqrofGAcLP9xEmHI8F-uFY";
const secondsGood = 12 * 3600;

export function createDemoIssuer(): DemoIssuer {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return {
    async policies() {
      const text = await demoConfig("policies.yaml");
      if (!text.includes(placeholder)) throw new Error("configs/demo/policies.yaml does not hold the key that the demo replaces");
      return text.replaceAll(placeholder, x);
    },
    token(changes = {}) {
      const exp = Math.floor(Date.now() / 1000) + secondsGood;
      const claims = {
        iss: "https://login.demo",
        sub: "alice",
        aud: "demo-api",
        exp,
        scope: "invoices.read",
        groups: ["staff"],
        ...changes,
      };
      const input = `${base64url({ alg: "EdDSA", typ: "JWT", kid: "demo" })}.${base64url(claims)}`;
      return `${input}.${sign(null, Buffer.from(input), privateKey).toString("base64url")}`;
    },
  };
}

const base64url = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
