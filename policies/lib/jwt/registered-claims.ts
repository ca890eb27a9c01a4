/** The claims that decide whether a token is good (RFC 7519 4.1), with the types that the RFC gives them. */

export interface Claims extends JudgedClaims {
  readonly sub: string;
  /** Every claim, as signed. */
  readonly all: Readonly<Record<string, unknown>>;
}

/** What is judged each time that a token comes. */
export interface JudgedClaims {
  readonly iss: string;
  /** Empty when the token names no audience. */
  readonly aud: readonly string[];
  /** Seconds since the epoch, as in the token. */
  readonly exp: number;
  readonly nbf: number | undefined;
}

export interface Fault {
  readonly code: string;
  /** For the log. */
  readonly reason: string;
}

/** What a token must fit besides its signature. */
export interface Expected {
  readonly issuer: string;
  /** The token must be for one of them. Empty: for anybody. */
  readonly audiences: readonly string[];
  readonly clockSkewMs: number;
}

/** A claim that is missing where it must be there, or of another type than the RFC gives it, makes the token worthless (RFC 8725 3.8 to 3.10). */
export function readClaims(payload: Readonly<Record<string, unknown>>): Claims | Fault {
  const { iss, sub, aud, exp, nbf, iat } = payload;
  if (typeof iss !== "string" || iss === "") return wrong("iss");
  if (typeof sub !== "string" || sub === "" || !fitsHeader(sub)) return wrong("sub");
  if (!isDate(exp)) return wrong("exp");
  if (nbf !== undefined && !isDate(nbf)) return wrong("nbf");
  if (iat !== undefined && !isDate(iat)) return wrong("iat");
  const audiences = aud === undefined ? [] : textList(aud);
  if (audiences === undefined) return wrong("aud");
  return { iss, sub, aud: audiences, exp, nbf, all: payload };
}

/** Asked anew whenever a remembered token comes again: time has passed. */
export function claimsFault(
  { iss, aud, exp, nbf }: JudgedClaims,
  { issuer, audiences, clockSkewMs }: Expected,
  nowMs: number,
): Fault | undefined {
  if (iss !== issuer) return { code: "jwt-issuer-unknown", reason: "the token is of another issuer" };
  if (audiences.length > 0 && !audiences.some((audience) => aud.includes(audience))) {
    return { code: "jwt-audience-wrong", reason: "the token is for another audience" };
  }
  if (nowMs >= exp * 1000 + clockSkewMs) return { code: "jwt-expired", reason: "the token has expired" };
  if (nbf !== undefined && nowMs < nbf * 1000 - clockSkewMs) return { code: "jwt-not-yet-valid", reason: "the token is not valid yet" };
  return undefined;
}

/** A text, or a list of texts. */
export function textList(value: unknown): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : undefined;
}

/** Whether the text arrives as it is when it is sent as a header: no control characters, and no blanks at its ends, which HTTP takes off (RFC 9110 5.5). */
export const fitsHeader = (text: string): boolean => !controlCharacter.test(text) && text === text.trim();

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controlCharacter = /[\x00-\x1f\x7f]/;

const isDate = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const wrong = (claim: string): Fault => ({ code: "jwt-claims-invalid", reason: `the claim \`${claim}\` is missing or of the wrong type` });
