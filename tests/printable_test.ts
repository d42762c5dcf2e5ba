import { assertEquals } from "@std/assert";
import { printable, printableJson } from "../data/printable.ts";
import { assertTakesLess } from "./least_cost.ts";

Deno.test("printable() leaves words of any script as they are", () => {
  for (
    const text of ["layer1.0.conv1", "Grüße", "猫", "می\u200cخواهم", "👩\u200d🔬", "a \\ b", ""]
  ) {
    assertEquals(printable(text), text);
  }
});

Deno.test("printable() shows what a terminal would act on as escapes", () => {
  const texts: [string, string][] = [
    ["\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"],
    ["a\nb\r\tc\0", "a\\nb\\r\\tc\\x00"],
    ["\x7f\x85\x9b31m", "\\x7f\\x85\\x9b31m"],
    ["cat\u202etac\u2066\u2069", "cat\\u{202e}tac\\u{2066}\\u{2069}"],
    ["\u200b\ufeff\u00ad\u2028", "\\u{200b}\\u{feff}\\xad\\u{2028}"],
    ["\ud800x\u{e0041}", "\\u{d800}x\\u{e0041}"],
  ];
  for (const [text, wanted] of texts) assertEquals(printable(text), wanted);
});

Deno.test("printable() ends a long text with an ellipsis", () => {
  assertEquals(printable("abcdef", 6), "abcdef");
  assertEquals(printable("abcdefg", 6), "abcdef...");
  // Neither a pair of surrogates nor an escape is cut.
  assertEquals(printable("ab😀😀", 5), "ab😀...");
  assertEquals(printable("abc\x1bd", 6), "abc...");
  assertEquals(printable("x".repeat(1e7)).length, 103);
});

Deno.test("printableJson() shows a value as JSON.stringify does", () => {
  const values = [null, true, 1.5, 'a"b', [], {}, [1, [2, "x"]], { a: { b: [null] }, c: "d" }];
  for (const value of values) assertEquals(printableJson(value), JSON.stringify(value));
  assertEquals(printableJson(undefined), "undefined");
  assertEquals(printableJson({ "\u202e": "\x1b" }), '{"\\u{202e}":"\\u001b"}');
});

Deno.test("printableJson() visits no more of a value than it shows", async () => {
  let deep: unknown = 1;
  for (let i = 0; i < 1e5; i++) deep = [deep];
  await assertTakesLess({ milliseconds: 1000 }, () => {
    assertEquals(printableJson(deep, 5), "[[[[[...");
    assertEquals(printableJson(Array.from({ length: 1e6 }, () => 0), 5), "[0,0,...");
    assertEquals(printableJson({ key: "x".repeat(1e7) }, 10), '{"key":"xx...');
    assertEquals(printableJson({ ["x".repeat(1e7)]: 1 }, 5), '{"xxx...');
  });
});
