/** Values as OTLP's JSON has them (opentelemetry/proto/common/v1/common.proto): numbers of 64 bits are text, identifiers hexadecimal. */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

export interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string } | { readonly doubleValue: number };
}

/** Those that are there. */
export function keyValues(attributes: Attributes): readonly KeyValue[] {
  return Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: anyValue(value) }]));
}

/** @param milliseconds since the epoch; parts of one are kept down to the microsecond */
export function unixNano(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1_000)) * 1_000n);
}

/** What every record of a process shares: https://opentelemetry.io/docs/specs/semconv/resource/#service */
export interface Resource {
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly serviceInstanceId: string;
}

export function resourceOf({ serviceName, serviceVersion, serviceInstanceId }: Resource): { readonly attributes: readonly KeyValue[] } {
  return {
    attributes: keyValues({ "service.name": serviceName, "service.version": serviceVersion, "service.instance.id": serviceInstanceId }),
  };
}

export const scope = { name: "envoy-policy-engine" } as const;

function anyValue(value: string | number): KeyValue["value"] {
  if (typeof value === "string") return { stringValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
