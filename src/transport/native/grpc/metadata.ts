import type { StreamMetadata } from "../../../kernel/transport.ts";
import type { HeaderField } from "../hpack/header-field.ts";

/** The request's fields as the kernel reads them: nothing is looked at before somebody asks. */
export class RequestMetadata implements StreamMetadata {
  readonly #fields: readonly HeaderField[];

  constructor(fields: readonly HeaderField[]) {
    this.#fields = fields;
  }

  get(key: string): string | undefined {
    let found: string | undefined;
    for (const { name, value } of this.#fields) {
      if (name === key) found = found === undefined ? value : `${found}, ${value}`;
    }
    // gRPC over HTTP/2: values of keys that end so are base64.
    return found !== undefined && key.endsWith("-bin") ? Buffer.from(found, "base64").toString("utf8") : found;
  }
}
