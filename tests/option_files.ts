// Which test file holds which command to the effects of its options.
import { type Command, COMMANDS } from "../cli/flags/commands.ts";

/** Commands whose options take long enough to be tested in files of their own, side by side. */
export const OWN_FILES: readonly Command[] = ["train", "search", "compare"];

/** All other commands. */
export const OTHERS: readonly Command[] = (Object.keys(COMMANDS) as Command[])
  .filter((command) => !OWN_FILES.includes(command));

/** The test file that holds a command to the effects of its options, under the root. */
export function optionTests(command: Command): string {
  return `tests/options_${OWN_FILES.includes(command) ? `${command}_` : ""}test.ts`;
}
