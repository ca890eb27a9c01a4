/** What an answer of ours says, for people. */
import {
  ProcessingMode_BodySendMode as BodyMode,
  ProcessingMode_HeaderSendMode as HeaderMode,
  type ProcessingMode,
} from "../../generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import {
  type BodyMutation,
  type CommonResponse,
  type HeaderMutation,
  ProcessingResponse,
} from "../../generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { ToldAnswer } from "../../worker/explanation.ts";
import { headerText } from "../../worker/redaction.ts";

/** Values of headers that carry credentials by their name are replaced. */
export function readAnswer(bytes: Uint8Array, to: string): ToldAnswer {
  const { response, modeOverride } = ProcessingResponse.decode(bytes);
  if (response?.$case === "immediateResponse") {
    const { status, headers = {}, body = new Uint8Array() } = response.value;
    return { to, kind: "reply", status: status?.code, ...headersOf(headers), bodyBytes: body.length, asks: undefined };
  }
  const isTrailers = response?.$case === "requestTrailers" || response?.$case === "responseTrailers";
  const common: CommonResponse = isTrailers ? response.value : (response?.value.response ?? {});
  return {
    to,
    kind: "continue",
    status: undefined,
    ...headersOf(common.headerMutation ?? {}),
    bodyBytes: bodyBytesOf(common.bodyMutation),
    asks: modeOverride && asked(modeOverride),
  };
}

function headersOf({ setHeaders = [], removeHeaders = [] }: HeaderMutation): Pick<ToldAnswer, "set" | "remove"> {
  const set = setHeaders.map(({ header, append }) => {
    const name = header?.key ?? "";
    return { name, value: headerText(name, header?.rawValue ?? new Uint8Array()), append: append === true };
  });
  return { set, remove: removeHeaders };
}

function bodyBytesOf(mutation: BodyMutation | undefined): number | undefined {
  const change = mutation?.mutation;
  switch (change?.$case) {
    case undefined:
      return undefined;
    case "body":
      return change.value.length;
    case "clearBody":
      return 0;
    case "streamedResponse":
      return change.value.body?.length ?? 0;
    default:
      return change satisfies never;
  }
}

const asked = ({ requestBodyMode, responseHeaderMode, responseBodyMode }: ProcessingMode): Readonly<Record<string, string>> => ({
  requestBody: bodyModeText(requestBodyMode),
  responseHeaders: responseHeaderMode === HeaderMode.SEND ? "send" : "skip",
  responseBody: bodyModeText(responseBodyMode),
});

/** The enumeration's own word. */
function bodyModeText(mode: BodyMode = BodyMode.NONE): string {
  const word = Object.entries(BodyMode).find(([, number]) => number === mode)?.[0] ?? "unknown";
  return word.toLowerCase().replaceAll("_", "-");
}
