import { plural } from "../../data/words.ts";
import { type Paint, plain } from "../colour.ts";
import { wrap } from "../text.ts";
import type { Finding, State } from "./finding.ts";

/** Marks that are told apart without colours, and their colours. */
const MARKS: Readonly<Record<State, readonly [mark: string, ...Parameters<Paint>[0][]]>> = {
  ok: ["✓", "green"],
  note: ["·"],
  warning: ["!", "yellow"],
  problem: ["✗", "red"],
};

function markOf(state: State, paint: Paint): string {
  const [mark, colour] = MARKS[state];
  return colour ? paint(colour, mark) : mark;
}

/** Whether a finding is one to do something about. */
export function needsWork({ state }: Finding): boolean {
  return state === "problem" || state === "warning";
}

function verdict(found: readonly Finding[], paint: Paint): string {
  const count = (state: State): number => found.filter((one) => one.state === state).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  if (problems + warnings === 0) return `${markOf("ok", paint)} all is well`;
  const words = [
    ...problems ? [plural(problems, "problem")] : [],
    ...warnings ? [plural(warnings, "warning")] : [],
  ].join(" and ");
  return problems
    ? `${markOf("problem", paint)} ${words}`
    : `${markOf("warning", paint)} it works, with ${words}`;
}

/** The findings in sections: a mark, a name and what was found, in lines of `width` characters. */
export function doctorText(
  found: readonly Finding[],
  width: number,
  paint: Paint = plain,
): string {
  const left = Math.max(...found.map(({ name }) => name.length));
  const room = Math.max(30, width - left - 6);
  const indent = " ".repeat(left + 6);
  const sections = [...new Set(found.map(({ section }) => section))];
  const blocks = sections.map((section) => {
    const lines = found.filter((one) => one.section === section).flatMap((one) => {
      const { name, state, found, cure } = one;
      const [first, ...rest] = wrap(found, room);
      const what = cure === undefined ? [] : wrap(`→ ${cure}`, room);
      return [`  ${markOf(state, paint)} ${name.padEnd(left)}  ${first}`.trimEnd()]
        .concat([...rest, ...what].map((line) => indent + line));
    });
    return [section, ...lines].join("\n");
  });
  return `${blocks.join("\n\n")}\n\n${verdict(found, paint)}\n`;
}
