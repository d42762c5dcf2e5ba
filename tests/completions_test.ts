// Completions of shells hold all commands and flags, and do what they say in the shells that are here.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bashCompletions } from "../cli/completions/bash.ts";
import { type CompletedCommand, completedCommands } from "../cli/completions/completed.ts";
import { fishCompletions } from "../cli/completions/fish.ts";
import { zshCompletions } from "../cli/completions/zsh.ts";
import { COMMAND_NAMES } from "../cli/flags/commands.ts";
import { flagOf, optionsOf } from "../cli/flags/table.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run");
const commands = completedCommands();

/** The output of a shell; nothing where there is no such shell. */
async function shell(name: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(name, { args: [...args] }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Command lines to complete at their ends, with what has to be offered. */
function questions(): { line: string[]; wanted: readonly string[] }[] {
  const ofFlags = ({ words, flags }: CompletedCommand) => [
    {
      line: [...words, "--"],
      wanted: flags.flatMap(({ flags }) => flags).filter((flag) => flag.startsWith("--")),
    },
    ...flags.filter(({ choices }) => choices.length).map(({ flags: [flag], choices }) => ({
      line: [...words, flag, ""],
      wanted: choices,
    })),
  ];
  const names = [...new Set(COMMAND_NAMES.map((name) => name.split(" ")[0]))];
  return [
    { line: [""], wanted: names },
    { line: ["bench", ""], wanted: ["conv", "step", "data", "peers"] },
    { line: ["completions", ""], wanted: ["bash", "zsh", "fish"] },
    { line: ["summary", "--imag"], wanted: ["--image-size"] },
    { line: ["train", "--no-n"], wanted: ["--no-nesterov"] },
    { line: ["train", "--no"], wanted: ["--norm-decay", "--normalization", "--no-detach"] },
    ...commands.flatMap(ofFlags),
  ];
}

Deno.test("what is completed is what the tables of commands and options hold", () => {
  assertEquals(commands.map(({ words }) => words.join(" ")), [...COMMAND_NAMES]);
  for (const [i, name] of COMMAND_NAMES.entries()) {
    const flags = commands[i].flags.map(({ flags: [flag] }) => flag);
    assertEquals(flags, optionsOf(name).map((option) => flagOf(option.name)));
  }
  const train = commands[0].flags;
  const of = (flag: string) => train.find(({ flags }) => flags.includes(flag));
  assertEquals([of("--output")?.files, of("--seed")?.files, of("--model")?.files], [
    true,
    false,
    true,
  ]);
  assertEquals([of("--detach")?.negated, of("--help")?.negated, of("--lr")?.negated], [
    ...["--no-detach", undefined, undefined],
  ]);
  assertEquals([of("--detach")?.valued, of("-e")?.valued], [false, true]);
  const texts = [bashCompletions(commands), zshCompletions(commands), fishCompletions(commands)];
  const [, , fish] = texts;
  for (const { flags, negated } of commands.flatMap(({ flags }) => flags)) {
    for (const flag of flags.filter((flag) => flag.startsWith("--"))) {
      assertStringIncludes(texts[0], flag);
      assertStringIncludes(texts[1], `'${flag}[`);
      assertStringIncludes(fish, `-l ${flag.slice(2)} `);
    }
    if (negated === undefined) continue;
    assertStringIncludes(texts[1], `'${negated}[not`);
    assertStringIncludes(fish, `-l ${negated.slice(2)} `);
  }
});

Deno.test("bash completes commands, flags, choices and files", { ignore }, async () => {
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a picture.png`, "");
    const asked = [...questions(), {
      line: ["predict", `${dir}/a`],
      wanted: [`${dir}/a picture.png`],
    }];
    const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
    const ask = asked.map(({ line }) =>
      `COMP_WORDS=(adjoin ${line.map(quoted).join(" ")}); COMP_CWORD=${line.length}; _adjoin; ` +
      `(IFS=$'\\t'; echo "\${COMPREPLY[*]}")`
    );
    await Deno.writeTextFile(`${dir}/ask.sh`, [bashCompletions(commands), ...ask].join("\n"));
    const out = await shell("bash", ["--norc", "--noprofile", `${dir}/ask.sh`]);
    if (out === undefined) return;
    const answers = out.trimEnd().split("\n").map((line) => line.split("\t"));
    assertEquals(answers.length, asked.length);
    for (const [i, { line, wanted }] of asked.entries()) {
      const lacking = wanted.filter((word) => !answers[i].includes(word));
      assertEquals(lacking, [], line.join(" "));
    }
    // Nothing is offered that does not fit.
    assertEquals(answers[3], ["--image-size"]);
    assertEquals(answers[4], ["--no-nesterov"]);
    const all = answers[asked.findIndex(({ line }) => line.join(" ") === "train --")];
    assertEquals(all.filter((flag) => flag.startsWith("--no-")), []);
  });
});

Deno.test("zsh and fish take their completions, where they are here", { ignore }, async () => {
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/_adjoin`, zshCompletions(commands));
    await Deno.writeTextFile(`${dir}/adjoin.fish`, fishCompletions(commands));
    await shell("zsh", ["-f", "-n", `${dir}/_adjoin`]);
    const ask = questions().slice(0, 24).map(({ line, wanted }) => ({ line, wanted }));
    const lines = ask.map(({ line }) => `complete -C '${["adjoin", ...line].join(" ")}'; echo ===`);
    await Deno.writeTextFile(`${dir}/ask.fish`, [`source ${dir}/adjoin.fish`, ...lines].join("\n"));
    const out = await shell("fish", ["--no-config", `${dir}/ask.fish`]);
    if (out === undefined) return;
    const answers = out.split("===\n");
    for (const [i, { line, wanted }] of ask.entries()) {
      const offered = answers[i].split("\n").map((one) => one.split("\t")[0]);
      const lacking = wanted.filter((word) => !offered.includes(word));
      assertEquals(lacking, [], line.join(" "));
    }
    assert(!answers[3].includes("--model"), answers[3]);
  });
});
