// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equal } from "./json.ts";
import { apply, diff, type Patch, PatchError } from "./patch.ts";

// Keys that need escaping are among them; "__proto__" and the like are refused by design and left out.
const key = fc.constantFrom("a", "b", "c", "a/b", "m~n", "", "0", "-");
const json = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.array(tie("value"), { maxLength: 3 }), fc.dictionary(key, tie("value"), { maxKeys: 4 })),
})).value;
const object = fc.dictionary(key, json, { maxKeys: 5 });

describe("laws", () => {
  test("the difference of two documents turns one into the other", () => {
    fc.assert(fc.property(object, object, (a, b) => equal(apply(a, diff(a, b)), b)), { seed: 1 });
  });
  test("equal documents have no difference", () => {
    fc.assert(fc.property(object, (a) => diff(a, structuredClone(a)).length === 0), { seed: 2 });
  });
  test("applying leaves the given document as it was, and shares what it did not touch", () => {
    fc.assert(fc.property(object, object, (a, b) => {
      const before = JSON.stringify(a);
      apply({ keep: a, change: a }, [{ op: "replace", path: "/change", value: b }]);
      return JSON.stringify(a) === before;
    }), { seed: 3 });
    const doc = { a: { x: 1 }, b: { y: 1 } };
    const next = apply(doc, [{ op: "add", path: "/a/z", value: 2 }]);
    expect(next.b).toBe(doc.b);
    expect(next.a).not.toBe(doc.a);
  });
});

describe("RFC 6902, appendix A", () => {
  const cases: [string, unknown, Patch, unknown][] = [
    ["1 add a member", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { baz: "qux", foo: "bar" }],
    ["2 add an element", { foo: ["bar", "baz"] }, [{ op: "add", path: "/foo/1", value: "qux" }], { foo: ["bar", "qux", "baz"] }],
    ["3 remove a member", { baz: "qux", foo: "bar" }, [{ op: "remove", path: "/baz" }], { foo: "bar" }],
    ["4 remove an element", { foo: ["bar", "qux", "baz"] }, [{ op: "remove", path: "/foo/1" }], { foo: ["bar", "baz"] }],
    ["5 replace", { baz: "qux", foo: "bar" }, [{ op: "replace", path: "/baz", value: "boo" }], { baz: "boo", foo: "bar" }],
    ["6 move a value", { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } }, [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }], { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } }],
    ["7 move an element", { foo: ["all", "grass", "cows", "eat"] }, [{ op: "move", from: "/foo/1", path: "/foo/3" }], { foo: ["all", "cows", "eat", "grass"] }],
    ["10 add a nested member", { foo: "bar" }, [{ op: "add", path: "/child", value: { grandchild: {} } }], { foo: "bar", child: { grandchild: {} } }],
    ["14 escapes", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }], { "/": 9, "~1": 10 }],
    ["16 add to the end", { foo: ["bar"] }, [{ op: "add", path: "/foo/-", value: ["abc", "def"] }], { foo: ["bar", ["abc", "def"]] }],
  ];
  test.each(cases)("%s", (_, doc, patch, expected) => expect(apply(doc, patch)).toEqual(expected));
});

describe("bad patches", () => {
  const bad: [string, Patch][] = [
    ["a test that fails", [{ op: "test", path: "/a", value: 2 }]],
    ["a place that is not there", [{ op: "remove", path: "/b" }]],
    ["a replacement of nothing", [{ op: "replace", path: "/b", value: 1 }]],
    ["a parent that is not there", [{ op: "add", path: "/b/c", value: 1 }]],
    ["past the end of a list", [{ op: "add", path: "/l/3", value: 1 }]],
    ["a list place that is no number", [{ op: "add", path: "/l/01", value: 1 }]],
    ["into itself", [{ op: "move", from: "/a", path: "/a/b" }]],
    ["the prototype", [{ op: "add", path: "/__proto__/x", value: 1 }]],
    ["no pointer", [{ op: "add", path: "a", value: 1 }]],
  ];
  test.each(bad)("%s", (_, patch) => expect(() => apply({ a: 1, l: [1, 2] }, patch)).toThrow(PatchError));
});
