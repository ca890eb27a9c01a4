import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { characterEditor } from "../../../policies/lib/streams/characters.ts";
import { type Finder, matchEditor, replaceMatches } from "../../../policies/lib/streams/matches.ts";
import { creditCardFinder } from "../../../policies/mask/v1.0.0/detectors/credit-card.ts";
import { emailFinder } from "../../../policies/mask/v1.0.0/detectors/email.ts";
import { ibanFinder } from "../../../policies/mask/v1.0.0/detectors/iban.ts";
import { cutAt, cuts, edited } from "../streams/chunks.ts";

const brackets = (match: Uint8Array): Uint8Array => Buffer.concat([Buffer.from("«"), match, Buffer.from("»")]);
const found = (finder: Finder, text: string): string =>
  Buffer.from(replaceMatches(Buffer.from(text), finder, brackets, { bytesLeft: 1_000_000 })).toString();

describe("credit-card", () => {
  test.each([
    // Numbers that the card networks publish for tests.
    "«4111111111111111»",
    "«4222222222222»",
    "«5555555555554444»",
    "«378282246310005»",
    "«30569309025904»",
    "«6011111111111117»",
    "«3530111333300000»",
    "«6205500000000000004»",
    "«2223003122003222»",
    "card:«4111111111111111»;",
    "_«4111111111111111»x",
    "-«4111-1111-1111-1111»-",
    "1234 «4111 1111 1111 1111» 123",
    "«4111 1111 1111 1111» 2222 3333",
    "«3782 822463 10005»",
    "«3056 930902 5904»",
    "«6205 5000 0000 0000 004»",
    "é«4111111111111111»é",
    "«4111111111111111»,«4111111111111111»",
    "«4111111111111111».",
    // Not cards.
    "4111111111111112",
    "41111111111111110",
    "04111111111111111",
    "411111111111",
    "62055000000000000041",
    "1.4111111111111111",
    "4111111111111111.5",
    "4111 1111-1111 1111",
    "4111  1111 1111 1111",
    "4111 1111 1111 11111",
    "41111111 11111111",
    "1111111111111117",
    "0000000000000000",
    "1700000000000",
    "",
    "1",
  ])("%s", (marked) => {
    expect(found(creditCardFinder, marked.replace(/[«»]/g, ""))).toBe(marked);
  });

  test("any number with a right check digit, and none with a wrong one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("2", "3", "4", "5", "6", "8", "9"),
        fc.stringMatching(/^\d{11,17}$/),
        fc.integer({ min: 1, max: 9 }),
        (first, middle, wrong) => {
          const payload = first + middle;
          const check = luhnDigit(payload);
          expect(found(creditCardFinder, `${payload}${check}`)).toBe(`«${payload}${check}»`);
          expect(found(creditCardFinder, `${payload}${(check + wrong) % 10}`)).toBe(`${payload}${(check + wrong) % 10}`);
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe("iban", () => {
  test.each([
    // The examples of the registry (ISO 13616).
    "«DE89370400440532013000»",
    "«GB29NWBK60161331926819»",
    "«NO9386011117947»",
    "«MT84MALT011000012345MTLCAST001S»",
    "«FR1420041010050500013M02606»",
    "«RU0304452522540817810538091310419»",
    "«DE89 3704 0044 0532 0130 00»",
    "«NO93 8601 1117 947»",
    "«GB29 NWBK 6016 1331 9268 19» and more",
    "«BE68 5390 0754 7034» NOTE",
    "«BE68 5390 0754 7034» 1234 5678",
    "to «DE89370400440532013000».",
    "é«DE89370400440532013000»é",
    // Not account numbers.
    "DE88370400440532013000",
    "XDE89370400440532013000",
    "DE893704004405320130001",
    "DE89370400440532013000x",
    "de89370400440532013000",
    "DE89 370 40044 0532 0130 00",
    "DE89  3704 0044 0532 0130 00",
    "DE89-3704-0044-0532-0130-00",
    "DE8937040044",
    "DE89",
    "D",
    "",
  ])("%s", (marked) => {
    expect(found(ibanFinder, marked.replace(/[«»]/g, ""))).toBe(marked);
  });

  test("any number with right check digits, together and in groups", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z]{2}$/), fc.stringMatching(/^[A-Z0-9]{11,30}$/), (country, account) => {
        const number = `${country}${checkDigits(country, account)}${account}`;
        const groups = number.match(/.{1,4}/g)?.join(" ") ?? "";
        expect(found(ibanFinder, number)).toBe(`«${number}»`);
        expect(found(ibanFinder, groups)).toBe(`«${groups}»`);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

test("a text of nothing but groups is looked at once", () => {
  let reads = 0;
  const text = Buffer.from("AB12 ".repeat(1_000));
  // A number may begin at each group, and end behind each of those that follow.
  const counted = new Proxy(text, {
    get(target, key) {
      reads++;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  expect(ibanFinder.find(counted, 0)).toBeUndefined();
  expect(reads / text.length).toBeLessThan(100);
});

describe("email", () => {
  test.each([
    "«alice@example.com»",
    "mailto:«alice.b+tag@mail.example.co.uk»?subject=x",
    '"«a@b.cd»"',
    "<«o'brien@example.ie»>",
    "(«a@b.cd»), «c@d.ef».",
    "«jürgen@exämple.de»",
    "«用户@例子.广告»",
    "«a@xn--fsqu00a.xn--0zwm56d»",
    "«a@1.2.example»",
    "«a@b.cd».",
    "«a@b.cd».5",
    "«a@b.cd»@e.fg",
    "..«a@b.cd»",
    "«a..b@c.de»",
    "a@b@«c@d.ef»",
    // Text around it that is no part of it, but looks like one.
    "«alice@example.com»- call her",
    "«alice@example.com»--",
    "«联系alice@example.com»获取更多信息我们会尽快回复您的邮件请耐心等待谢谢合作",
    "«a@例子.广告»-",
    "«alice@example.com。谢谢»",
    // Not addresses.
    "alice@localhost",
    "react@18.2.0",
    "@example.com",
    " @example.com",
    "a@",
    "a@b.c",
    "a@.com",
    "a@-b.cd",
    "a@b-.cd",
    "a@b..cd",
    "a at b.cd",
    "",
  ])("%s", (marked) => {
    expect(found(emailFinder, marked.replace(/[«»]/g, ""))).toBe(marked);
  });

  test("a longer name than the standard allows is masked from its last 64 bytes on, a longer domain to its last whole label", () => {
    expect(found(emailFinder, `${"a".repeat(70)}@b.cd`)).toBe(`${"a".repeat(6)}«${"a".repeat(64)}@b.cd»`);
    expect(found(emailFinder, `${"é".repeat(40)}b@b.cd`)).toBe(`${"é".repeat(9)}«${"é".repeat(31)}b@b.cd»`);
    const label = "b".repeat(62);
    expect(found(emailFinder, `a@${`${label}.`.repeat(5)}cd`)).toBe(`«a@${label}.${label}.${label}.${label}».${label}.cd`);
    expect(found(emailFinder, `a@${"b".repeat(64)}.cd`)).toBe(`a@${"b".repeat(64)}.cd`);
  });
});

describe.each<[string, Finder, readonly string[]]>([
  [
    "credit-card",
    creditCardFinder,
    ["4111", "1111", "4111111111111111", " 4111 1111 1111 1111 ", ",5555555555554444,", " ", "-", ".", "1", "2", "3782 822463 10005", "x"],
  ],
  [
    "iban",
    ibanFinder,
    [
      "DE89",
      " ",
      "3704",
      "0044",
      "0532",
      "0130",
      "00",
      "DE89370400440532013000",
      " BE68 5390 0754 7034 ",
      ",NO9386011117947,",
      "A",
      "x",
      "1",
    ],
  ],
  [
    "email",
    emailFinder,
    ["a", "@", ".", "b.cd", "a@b.cd", "é", "-", " ", "a".repeat(40), "1", ".", "多".repeat(22), `b.${"c".repeat(60)}.`, " a@b.cd "],
  ],
])("%s in any chunks", (_, finder, pieces) => {
  test("is what it is in the whole", () => {
    let matches = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), cuts, (parts, places) => {
        const body = Buffer.from(parts.join(""));
        const whole = replaceMatches(body, finder, brackets, { bytesLeft: 1_000_000 });
        if (whole !== body) matches++;
        expect(edited([characterEditor(), matchEditor(finder, brackets)], cutAt(body, places)).bytes.toString()).toBe(
          Buffer.from(whole).toString(),
        );
      }),
      { seed: 1, numRuns: 600 },
    );
    expect(matches).toBeGreaterThan(200);
  });

  test("is never longer or shorter than it says", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), (parts) => {
        const body = Buffer.from(parts.join(""));
        for (let match = finder.find(body, 0); match !== undefined; match = finder.find(body, match.end)) {
          expect(match.end - match.start).toBeLessThanOrEqual(finder.matchBytesMax);
          expect(match.end - match.start).toBeGreaterThanOrEqual(finder.matchBytesMin);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});

/** The digit behind the payload, by the rule as it is told to people: double every second one from the right, add the digits, up to a full ten. */
function luhnDigit(payload: string): number {
  const digits = [...payload].reverse().map((digit, index) => (index % 2 === 0 ? String(Number(digit) * 2) : digit));
  const sum = [...digits.join("")].reduce((total, digit) => total + Number(digit), 0);
  return (10 - (sum % 10)) % 10;
}

/** ISO 13616: 98 minus the remainder of the number with `00` in place of the check digits. */
function checkDigits(country: string, account: string): string {
  const digits = [...`${account}${country}00`].map((sign) => Number.parseInt(sign, 36)).join("");
  return String(98n - (BigInt(digits) % 97n)).padStart(2, "0");
}
