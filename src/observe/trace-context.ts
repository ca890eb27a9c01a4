/** Which trace an exchange belongs to, and whether it is recorded. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the span under which ours hang, 16 hexadecimal digits. */
  readonly parentSpanId: string;
  readonly sampled: boolean;
}

/**
 * Reads a `traceparent` (W3C Trace Context, section 3.2.2): undefined when it is none. Of versions later than 00 what they share with it is read, as
 * section 4.3 says.
 */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const [, version = "", traceId = "", parentSpanId = "", flags = "", more] =
    /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(text ?? "") ?? [];
  if (version === "" || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentSpanId)) return undefined;
  return { traceId, parentSpanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
