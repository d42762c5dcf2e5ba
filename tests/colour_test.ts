// Colours are for terminals alone, and change no text.
import { assertEquals } from "@std/assert";
import { type Paint, paintFor, plain, remark } from "../cli/colour.ts";
import { doctorText } from "../cli/doctor/doctor_text.ts";
import type { Finding } from "../cli/doctor/finding.ts";
import { ProgressLine } from "../cli/report/progress.ts";

const TERMINAL = { isTerminal: () => true };
const named: Paint = (colour, text) => `<${colour}>${text}</>`;

Deno.test("a terminal has colours unless NO_COLOR is set, and nothing else has", () => {
  const red = (stream: { isTerminal(): boolean }, noColor: boolean): string =>
    paintFor(stream, { noColor })("red", "adjoin:");
  assertEquals(red(TERMINAL, false), "\x1b[31madjoin:\x1b[0m");
  assertEquals(red(TERMINAL, true), "adjoin:");
  assertEquals(red({ isTerminal: () => false }, false), "adjoin:");
});

Deno.test("warnings are yellow, other remarks are not", () => {
  const warning = "warning: a GPU was passed over";
  assertEquals(remark(warning, named), `<yellow>${warning}</>`);
  assertEquals(remark("Cannot draw curves.svg: x", named), "<yellow>Cannot draw curves.svg: x</>");
  assertEquals(remark("goes on from epoch 3", named), "goes on from epoch 3");
  assertEquals(remark(warning, plain), warning);
});

Deno.test("the bar of a progress line has colours, which take no room of the line", () => {
  const lineOf = (paint?: Paint): string => {
    let text = "";
    const line = new ProgressLine({
      ...{ write: (part: string) => text += part, terminal: true, width: () => 50, now: () => 0 },
      ...{ quiet: false, paint },
    });
    line.note("Cannot draw batch.png: x");
    line.work({ what: "validation", done: 1, total: 4, unit: "images" });
    return text;
  };
  const bar = "<green>━━━</><dim>─────────</>";
  assertEquals(lineOf(named).match(/\r(.*?) 25 %/)?.[1], `validation  ${bar}`);
  assertEquals(lineOf(named).replace(/<\w*\/?>|<\/>/g, ""), lineOf());
});

Deno.test("the doctor's marks have the colour of their finding", () => {
  const found: Finding[] = (["ok", "note", "warning", "problem"] as const).map((state) => ({
    ...{ section: "GPU", name: state, state, found: "x" },
  }));
  const marks = doctorText(found, 80, named).match(/<\w+>./g);
  assertEquals(marks, ["<green>✓", "<yellow>!", "<red>✗", "<red>✗"]);
});
