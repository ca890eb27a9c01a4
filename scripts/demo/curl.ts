import type { DemoRequest } from "./requests.ts";

/** The shell command that sends a request of the demo. */
export function curl(port: number, { request }: DemoRequest): string {
  const { method = "GET", headers = {}, body, path } = request;
  return [
    "curl -i",
    ...(method === "GET" ? [] : [`-X ${method}`]),
    ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`-d ${quote(body)}`]),
    quote(`http://127.0.0.1:${port}${path}`),
  ].join(" ");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
