import { type ChannelOptions, Client, credentials, Metadata } from "@grpc/grpc-js";
import type { XdsSettings } from "../config/remote-provider-settings.ts";
import { DiscoveryRequest, DiscoveryResponse } from "../generated/proto/envoy/service/discovery/v3/discovery.ts";
import type { Secrets } from "../generations/secrets.ts";
import type { XdsConnection } from "../providers/xds.ts";
import { authorization, readTls } from "./remote-access.ts";

const method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

/** Opens a stream to a control plane, on a connection of its own. Rejects when a certificate or the token cannot be read. */
export async function openXds(settings: XdsSettings, secrets: Secrets): Promise<XdsConnection> {
  const metadata = new Metadata();
  const token = authorization(settings, secrets);
  if (token !== undefined) metadata.set("authorization", token);
  const client = new Client(targetOf(settings), await credentialsOf(settings), options(settings));
  const stream = client.makeBidiStreamRequest(
    method,
    (request: DiscoveryRequest) => Buffer.from(DiscoveryRequest.encode(request).finish()),
    (bytes: Buffer) => DiscoveryResponse.decode(bytes),
    metadata,
  );
  const close = (): void => {
    stream.cancel();
    client.close();
  };
  return { stream, close };
}

function options({ bytesMax }: XdsSettings): ChannelOptions {
  return {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": bytesMax,
    // A control plane is silent for days. Without these nobody would notice that it is gone.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    // The provider tries again by itself, with certificates and tokens as they are then.
    "grpc.enable_retries": 0,
  };
}

function targetOf({ address }: XdsSettings): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return `dns:${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

async function credentialsOf({ tls }: XdsSettings) {
  if (tls === undefined) return credentials.createInsecure();
  const { ca, key, cert } = await readTls(tls);
  const bytes = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  return credentials.createSsl(bytes(ca), bytes(key), bytes(cert));
}
