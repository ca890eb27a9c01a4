import { describe, expect, test } from "vitest";
import { type LockFile, productionPackages } from "../../builder/production-packages.ts";

const needs = (...names: readonly string[]) => ({ dependencies: Object.fromEntries(names.map((name) => [name, "1.0.0"])) });

describe("what production needs of the packages in a lock file", () => {
  test.each<[string, LockFile["packages"], readonly string[]]>([
    ["what is needed and what that needs", { "": needs("a"), "node_modules/a": needs("b"), "node_modules/b": {} }, ["a", "b"]],
    ["nothing that is only there", { "": needs("a"), "node_modules/a": {}, "node_modules/tool": {} }, ["a"]],
    ["a circle, once", { "": needs("a"), "node_modules/a": needs("b"), "node_modules/b": needs("a") }, ["a", "b"]],
    [
      "the version that is nearest",
      {
        "": needs("a", "b"),
        "node_modules/a": needs("b"),
        "node_modules/a/node_modules/b": needs("c"),
        "node_modules/b": {},
        "node_modules/c": {},
      },
      ["a", "a/node_modules/b", "b", "c"],
    ],
    [
      "a workspace's link, and what its folder needs",
      {
        "": needs("@own/lib"),
        "node_modules/@own/lib": { link: true, resolved: "policies/lib/lib" },
        "policies/lib/lib": needs("@own/sdk", "jose"),
        "node_modules/@own/sdk": { link: true, resolved: "src/sdk" },
        "src/sdk": {},
        "node_modules/jose": {},
      },
      ["@own/lib", "@own/sdk", "jose"],
    ],
    [
      "a workspace that only policies need",
      {
        "": {},
        "node_modules/@own/lib": { link: true, resolved: "policies/lib/lib" },
        "policies/lib/lib": needs("jose"),
        "node_modules/jose": {},
      },
      ["@own/lib", "jose"],
    ],
    ["no packages of types", { "": needs("a"), "node_modules/a": needs("@types/node"), "node_modules/@types/node": {} }, ["a"]],
    ["not what builds RE2", { "": needs("re2"), "node_modules/re2": needs("node-gyp"), "node_modules/node-gyp": {} }, ["re2"]],
  ])("%s", (_, packages, expected) => {
    expect(productionPackages({ packages })).toEqual(expected.map((name) => `node_modules/${name}`));
  });

  test("a lock file that does not fit is an error", () => {
    expect(() => productionPackages({ packages: { "": needs("a"), "node_modules/a": needs("b") } })).toThrow(
      "package-lock.json has no b, which node_modules/a needs",
    );
  });
});
