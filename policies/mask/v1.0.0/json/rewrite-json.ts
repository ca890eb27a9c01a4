import { isUtf8 } from "node:buffer";
import { BodyFault } from "@envoy-policy-engine/streams/editor";

/** What becomes of the parts of a JSON text. A `Place` is whatever the visitor wants to know about where it is. */
export interface JsonVisitor<Place> {
  readonly root: Place;
  member(parent: Place, name: Uint8Array): Place;
  element(parent: Place, index: number): Place;
  /** What takes the place of the value there, both as JSON text; undefined to look into it. */
  replacesValue(place: Place): ((json: Uint8Array) => string) | undefined;
  /** A string, a member's name (both decoded) or a number (as it is written). The same object leaves it as it is; anything else becomes a string. */
  text(text: Uint8Array): Uint8Array;
}

/** The body is no JSON (RFC 8259). */
export class JsonFault extends BodyFault {}

/** The most arrays and objects inside each other: recursion stays far from the end of the stack. */
export const nestingMax = 500;

/**
 * Rewrites parts of a JSON text and leaves every other byte as it is: the spelling of numbers, escapes, blanks, the order of members and members that are
 * there twice.
 *
 * @returns the same object when nothing has changed
 * @throws JsonFault when it is no JSON in UTF-8, to the last byte, or nested deeper than {@link nestingMax}. A byte order mark is let through
 */
export function rewriteJson<Place>(json: Uint8Array, visitor: JsonVisitor<Place>): Uint8Array {
  if (!isUtf8(json)) throw new JsonFault("the JSON is no UTF-8");
  return new Rewriter(json, visitor).rewritten() ?? json;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
const [minus, plus, dot, zero, lowerE, upperE] = [0x2d, 0x2b, 0x2e, 0x30, 0x65, 0x45];
const literals = ["true", "false", "null"].map((literal) => Buffer.from(literal));
const byteOrderMark = Buffer.from("\ufeff");

class Rewriter<Place> {
  readonly #json: Buffer;
  readonly #visitor: JsonVisitor<Place>;
  readonly #parts: Uint8Array[] = [];
  #at = 0;
  /** Up to here everything is in the parts. */
  #copied = 0;
  #depth = 0;

  constructor(json: Uint8Array, visitor: JsonVisitor<Place>) {
    this.#json = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
    this.#visitor = visitor;
  }

  /** Undefined when nothing has changed. */
  rewritten(): Uint8Array | undefined {
    if (this.#json.subarray(0, 3).equals(byteOrderMark)) this.#at = 3;
    this.#value(this.#visitor.root);
    this.#blanks();
    if (this.#at < this.#json.length) this.#fail("something follows it");
    if (this.#parts.length === 0) return undefined;
    return Buffer.concat([...this.#parts, this.#json.subarray(this.#copied)]);
  }

  /** @param place undefined inside a value that is replaced: nothing there is looked at, but it has to be JSON */
  #value(place: Place | undefined): void {
    this.#blanks();
    const begin = this.#at;
    const replace = place === undefined ? undefined : this.#visitor.replacesValue(place);
    if (replace === undefined) return this.#anyValue(place);
    this.#anyValue(undefined);
    this.#put(begin, replace(this.#json.subarray(begin, this.#at)));
  }

  #anyValue(place: Place | undefined): void {
    const begin = this.#at;
    const byte = this.#json[begin];
    if (byte === quote) this.#rewriteText(place, begin, this.#string());
    else if (byte === openBrace) this.#object(place);
    else if (byte === openBracket) this.#array(place);
    else if (byte === minus || isDigit(byte)) this.#rewriteText(place, begin, this.#number());
    else this.#literal();
  }

  #object(place: Place | undefined): void {
    this.#enter();
    if (!this.#takes(closeBrace)) {
      do {
        this.#blanks();
        const begin = this.#at;
        if (this.#json[begin] !== quote) this.#fail("a member has no name");
        const name = this.#string();
        this.#rewriteText(place, begin, name);
        if (!this.#takes(colon)) this.#fail("a colon is missing");
        this.#value(place === undefined ? undefined : this.#visitor.member(place, name));
      } while (this.#takes(comma));
      if (!this.#takes(closeBrace)) this.#fail("an object does not end");
    }
    this.#depth--;
  }

  #array(place: Place | undefined): void {
    this.#enter();
    if (!this.#takes(closeBracket)) {
      let index = 0;
      do this.#value(place === undefined ? undefined : this.#visitor.element(place, index++));
      while (this.#takes(comma));
      if (!this.#takes(closeBracket)) this.#fail("an array does not end");
    }
    this.#depth--;
  }

  #enter(): void {
    if (++this.#depth > nestingMax) this.#fail(`it is nested deeper than ${nestingMax} levels`);
    this.#at++;
  }

  /** Decoded. */
  #string(): Uint8Array {
    const begin = this.#at;
    let escaped = false;
    for (this.#at++; ; this.#at++) {
      const byte = this.#json[this.#at];
      if (byte === quote) break;
      if (byte === undefined || byte < 0x20) this.#fail("a string does not end");
      if (byte !== backslash) continue;
      escaped = true;
      this.#at++;
    }
    this.#at++;
    if (!escaped) return this.#json.subarray(begin + 1, this.#at - 1);
    try {
      return Buffer.from(JSON.parse(this.#json.toString("utf8", begin, this.#at)));
    } catch {
      return this.#fail("a string has an escape that does not exist");
    }
  }

  /** As it is written. */
  #number(): Uint8Array {
    const begin = this.#at;
    this.#has(minus);
    if (!this.#has(zero)) this.#digits();
    if (this.#has(dot)) this.#digits();
    if (this.#has(lowerE) || this.#has(upperE)) {
      if (!this.#has(minus)) this.#has(plus);
      this.#digits();
    }
    return this.#json.subarray(begin, this.#at);
  }

  #digits(): void {
    if (!isDigit(this.#json[this.#at])) this.#fail("a number lacks a digit");
    while (isDigit(this.#json[this.#at])) this.#at++;
  }

  #literal(): void {
    const literal = literals.find((one) => one.equals(this.#json.subarray(this.#at, this.#at + one.length)));
    if (literal === undefined) this.#fail("a value is missing");
    this.#at += literal.length;
  }

  #rewriteText(place: Place | undefined, begin: number, text: Uint8Array): void {
    if (place === undefined) return;
    const given = this.#visitor.text(text);
    if (given !== text) this.#put(begin, JSON.stringify(Buffer.from(given).toString()));
  }

  /** In place of what stands between `begin` and here. */
  #put(begin: number, json: string): void {
    this.#parts.push(this.#json.subarray(this.#copied, begin), Buffer.from(json));
    this.#copied = this.#at;
  }

  #blanks(): void {
    while (isBlank(this.#json[this.#at])) this.#at++;
  }

  /** Whether this byte comes next, behind blanks. */
  #takes(byte: number): boolean {
    this.#blanks();
    return this.#has(byte);
  }

  #has(byte: number): boolean {
    if (this.#json[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #fail(what: string): never {
    throw new JsonFault(`the JSON is wrong at byte ${this.#at}: ${what}`);
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
