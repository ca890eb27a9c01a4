import type { Reply } from "@envoy-policy-engine/sdk";

/** 415 (RFC 9110 15.5.16): the request's body is of a kind in which nothing can be masked. */
export function unmaskableRequest(): Reply {
  return {
    status: 415,
    code: "mask-content",
    reason:
      "the request's body cannot be masked: its content type or character set is not known, or only rules with `path` are there for text",
    ...problem("Unsupported Media Type", 415, "the content of the request is not supported here"),
  };
}

/** 400 (RFC 9110 14.5): a part of a whole may hold a part of what is to be masked. */
export function partialRequest(): Reply {
  return {
    status: 400,
    code: "mask-partial",
    reason: "the request's body is a part of a whole (`content-range`), in which nothing can be masked reliably",
    ...problem("Bad Request", 400, "partial content is not supported here"),
  };
}

/** 502 in place of a response that cannot be masked. */
export function unmaskableResponse(): Reply {
  return {
    status: 502,
    code: "mask-content",
    reason:
      "the response's body cannot be masked: its content type or character set is not known, or only rules with `path` are there for text",
    ...problem("Bad Gateway", 502, "the response cannot be shown"),
  };
}

/** 502 in place of a part of a response: what is to be masked may stand across its borders. */
export function partialResponse(): Reply {
  return {
    status: 502,
    code: "mask-partial",
    reason: "the response is a part of a whole (206), in which nothing can be masked reliably",
    ...problem("Bad Gateway", 502, "partial content is not supported here"),
  };
}

/** Problem details of RFC 9457. */
function problem(title: string, status: number, detail: string): Pick<Reply, "body"> & { readonly headers: Record<string, string> } {
  return { headers: { "content-type": "application/problem+json" }, body: JSON.stringify({ title, status, detail }) };
}
