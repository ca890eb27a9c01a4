/** What `policy-engine explain` asks a running engine, by its admin port. */
import type { Settings } from "../config/settings.ts";
import type { Explained } from "../explain/explain-exchange.ts";
import type { ExplainRequest } from "../explain/request-file.ts";
import type { Decision } from "../worker/explanation.ts";
import { askAdmin } from "./ask-admin.ts";

/** @param why what needs it, for the message of the error that is thrown when the settings are not given */
export function runningEngine(settings: Settings | undefined, why: string): Settings {
  if (settings === undefined) throw new Error(`${why} a running engine is asked: name its settings with --settings`);
  return settings;
}

/** What the configuration in use does to an exchange; undefined when the engine refuses, which has then been printed. */
export async function explainedByEngine(request: ExplainRequest, { admin }: Settings): Promise<Explained | undefined> {
  const { status, body } = await askAdmin(admin, { method: "POST", path: "/explain", body: request });
  return status === 200 ? Object(body) : printRefusal(body);
}

/** What is kept of a recent exchange; undefined when nothing is, which has then been printed. */
export async function keptDecision(id: string, { admin }: Settings): Promise<Decision | undefined> {
  const { status, body } = await askAdmin(admin, { method: "GET", path: `/decisions/${encodeURIComponent(id)}` });
  return status === 200 ? Object(body) : printRefusal(body);
}

function printRefusal(body: unknown): undefined {
  const { error, problems }: { readonly error?: unknown; readonly problems?: unknown } = Object(body);
  const lines = Array.isArray(problems) ? problems.map((one) => problemLine(Object(one))) : [String(error)];
  process.stderr.write(`the engine: ${lines.join("\n  ")}\n`);
}

const problemLine = ({ at, code, message }: Readonly<Record<string, unknown>>): string => `${at}: ${code}: ${message}`;
