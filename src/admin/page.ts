/** An answer of the admin port. */
export interface Page {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Page {
  return { status, body: `${JSON.stringify(body, undefined, 2)}\n`, headers: { "content-type": "application/json", ...headers } };
}
