/** Certificates for tests, made here, so that no tool has to be there and none of them expires in the repository. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface Certificate {
  readonly name: string;
  readonly pem: string;
  readonly privateKey: KeyObject;
}

/** A certificate that vouches for itself and for others. */
export function certificateAuthority(name: string): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const isAuthority = sequence(oid("551d13"), yes(), octets(sequence(yes())));
  return { name, privateKey, pem: certificate(name, publicKey, { name, privateKey }, isAuthority) };
}

/** A server's certificate for a host name or an IPv4 address; a client may show it too. */
export function serverCertificate(host: string, authority: Certificate): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const forHost = sequence(
    oid("551d11"),
    octets(sequence(isIPv4(host) ? tagged(0x87, Buffer.from(host.split(".").map(Number))) : tagged(0x82, Buffer.from(host)))),
  );
  return { name: host, privateKey, pem: certificate(host, publicKey, authority, forHost) };
}

export function privateKeyPem({ privateKey }: Certificate): string {
  return privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}

/** RFC 5280 4.1, good for a day around now. */
function certificate(subject: string, key: KeyObject, by: Pick<Certificate, "name" | "privateKey">, extension: Buffer): string {
  const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));
  const dayMs = 86_400_000;
  const content = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(by.name),
    sequence(utcTime(Date.now() - dayMs), utcTime(Date.now() + dayMs)),
    commonName(subject),
    key.export({ format: "der", type: "spki" }),
    tagged(0xa3, sequence(extension)),
  );
  const whole = sequence(content, ecdsaWithSha256, tagged(0x03, Buffer.concat([Buffer.of(0), sign("sha256", content, by.privateKey)])));
  return `-----BEGIN CERTIFICATE-----\n${whole.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

const commonName = (name: string): Buffer => sequence(tagged(0x31, sequence(oid("550403"), tagged(0x0c, Buffer.from(name)))));
const utcTime = (ms: number): Buffer => tagged(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));
const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const integer = (value: Buffer): Buffer => tagged(0x02, value);
const octets = (value: Buffer): Buffer => tagged(0x04, value);
const yes = (): Buffer => tagged(0x01, Buffer.of(0xff));
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, "hex"));

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
