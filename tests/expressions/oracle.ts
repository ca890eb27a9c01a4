/**
 * Random expressions of a small grammar, each with what it means in plain JavaScript, so that neither our evaluation nor cel-js has to be
 * trusted.
 */
import fc from "fast-check";

/** What an expression of a type yields, or throws where it must fail. */
export interface Meant<Value> {
  readonly text: string;
  readonly value: (values: OracleValues) => Value;
}

export interface OracleValues {
  readonly status: number;
  readonly path: string;
  readonly tier: string | undefined;
  readonly scopes: readonly string[];
}

// A type and not an interface, because fast-check asks for an index signature.
// biome-ignore lint/style/useConsistentTypeDefinitions: see above
type Grammar = {
  int: Meant<bigint>;
  string: Meant<string>;
  bool: Meant<boolean>;
  list: Meant<readonly string[]>;
};

const int64 = (value: bigint): bigint => {
  if (BigInt.asIntN(64, value) !== value) throw new Error("overflow");
  return value;
};

const words = fc.constantFrom("", "a", "b", "ab", "read", "/api", "gold");

const { bool } = fc.letrec<Grammar>((tie) => ({
  int: choice<bigint>(
    3,
    fc.integer({ min: 0, max: 5 }).map((value) => ({ text: `${value}`, value: () => BigInt(value) })),
    fc.constant({ text: "response.status", value: ({ status }: OracleValues) => BigInt(status) }),
    fc.constant({ text: "9223372036854775807", value: () => 2n ** 63n - 1n }),
    binary(tie("int"), tie("int"), "+", (left, right) => int64(left + right)),
    binary(tie("int"), tie("int"), "-", (left, right) => int64(left - right)),
    binary(tie("int"), tie("int"), "*", (left, right) => int64(left * right)),
    binary(tie("int"), tie("int"), "/", (left, right) => left / right),
    binary(tie("int"), tie("int"), "%", (left, right) => left % right),
    tie("string").map(({ text, value }) => ({ text: `size(${text})`, value: (values: OracleValues) => BigInt([...value(values)].length) })),
    tie("list").map(({ text, value }) => ({ text: `${text}.size()`, value: (values: OracleValues) => BigInt(value(values).length) })),
  ),
  string: choice<string>(
    3,
    words.map((word) => ({ text: JSON.stringify(word), value: () => word })),
    fc.constant({ text: "request.path", value: ({ path }: OracleValues) => path }),
    words.map((word) => ({ text: `request.headers[?"x-tier"].orValue("${word}")`, value: ({ tier }: OracleValues) => tier ?? word })),
    binary(tie("string"), tie("string"), "+", (left, right) => left + right),
    tie("int").map(({ text, value }) => ({ text: `string(${text})`, value: (values: OracleValues) => `${value(values)}` })),
    tie("list").map(({ text, value }) => ({ text: `${text}.join("-")`, value: (values: OracleValues) => value(values).join("-") })),
    fc.tuple(tie("bool"), tie("string"), tie("string")).map(([decide, yes, no]) => ({
      text: `(${decide.text} ? ${yes.text} : ${no.text})`,
      value: (values: OracleValues) => (decide.value(values) ? yes.value(values) : no.value(values)),
    })),
  ),
  list: choice<readonly string[]>(
    3,
    fc.constant({ text: "metadata.auth.?scopes.orValue([])", value: ({ scopes }: OracleValues) => scopes }),
    fc.array(words, { minLength: 1, maxLength: 3 }).map((list) => ({ text: JSON.stringify(list), value: () => list })),
    binary(tie("list"), tie("list"), "+", (left, right) => [...left, ...right]),
    fc.tuple(tie("list"), words).map(([list, word]) => ({
      text: `${list.text}.filter(x, x != "${word}")`,
      value: (values: OracleValues) => list.value(values).filter((element) => element !== word),
    })),
    fc.tuple(tie("list"), words).map(([list, word]) => ({
      text: `${list.text}.map(x, x + "${word}")`,
      value: (values: OracleValues) => list.value(values).map((element) => element + word),
    })),
  ),
  bool: choice<boolean>(
    4,
    fc.boolean().map((value) => ({ text: `${value}`, value: () => value })),
    fc.constant({ text: "has(request.headers.accept)", value: () => false }),
    fc.constant({ text: '"x-tier" in request.headers', value: ({ tier }: OracleValues) => tier !== undefined }),
    binary(tie("int"), tie("int"), "==", (left, right) => left === right),
    binary(tie("int"), tie("int"), "<", (left, right) => left < right),
    binary(tie("int"), tie("int"), ">=", (left, right) => left >= right),
    binary(tie("string"), tie("string"), "!=", (left, right) => left !== right),
    binary(tie("string"), tie("string"), "<=", (left, right) => left <= right),
    binary(tie("string"), tie("list"), "in", (word, list) => list.includes(word)),
    fc.tuple(tie("string"), words).map(([subject, word]) => ({
      text: `${subject.text}.startsWith("${word}")`,
      value: (values: OracleValues) => subject.value(values).startsWith(word),
    })),
    tie("string").map(({ text, value }) => ({
      text: `${text}.matches("^[a-z]+$")`,
      value: (values: OracleValues) => /^[a-z]+$/.test(value(values)),
    })),
    fc.tuple(tie("list"), words).map(([list, word]) => ({
      text: `${list.text}.exists(x, x == "${word}")`,
      value: (values: OracleValues) => list.value(values).includes(word),
    })),
    fc.tuple(tie("list"), words).map(([list, word]) => ({
      text: `${list.text}.all(x, x.contains("${word}"))`,
      value: (values: OracleValues) => list.value(values).every((element) => element.includes(word)),
    })),
    tie("bool").map(({ text, value }) => ({ text: `!(${text})`, value: (values: OracleValues) => !value(values) })),
    fc.tuple(tie("bool"), tie("bool")).map(([left, right]) => decided(left, right, "||", true)),
    fc.tuple(tie("bool"), tie("bool")).map(([left, right]) => decided(left, right, "&&", false)),
  ),
}));

export const expressions: fc.Arbitrary<Meant<boolean>> = bool;

export const oracleValues: fc.Arbitrary<OracleValues> = fc.record({
  status: fc.integer({ min: 0, max: 599 }),
  path: fc.constantFrom("/", "/api", "abc", ""),
  tier: fc.option(words, { nil: undefined }),
  scopes: fc.array(words, { maxLength: 3 }),
});

function choice<Value>(maxDepth: number, ...options: fc.Arbitrary<Meant<Value>>[]): fc.Arbitrary<Meant<Value>> {
  return fc.oneof({ maxDepth }, ...options);
}

function binary<Left, Right, Result>(
  left: fc.Arbitrary<Meant<Left>>,
  right: fc.Arbitrary<Meant<Right>>,
  operator: string,
  value: (left: Left, right: Right) => Result,
): fc.Arbitrary<Meant<Result>> {
  return fc.tuple(left, right).map(([one, other]) => ({
    text: `(${one.text} ${operator} ${other.text})`,
    value: (values: OracleValues) => value(one.value(values), other.value(values)),
  }));
}

/** CEL's `||` and `&&`: a failure counts only when the other side does not decide. */
function decided(left: Meant<boolean>, right: Meant<boolean>, operator: string, decisive: boolean): Meant<boolean> {
  return {
    text: `(${left.text} ${operator} ${right.text})`,
    value(values) {
      const [one, other] = [outcomeOf(() => left.value(values)), outcomeOf(() => right.value(values))];
      if (one === decisive || other === decisive) return decisive;
      if (one === "failed" || other === "failed") throw new Error("failed");
      return !decisive;
    },
  };
}

export function outcomeOf<Value>(run: () => Value): Value | "failed" {
  try {
    return run();
  } catch {
    return "failed";
  }
}
