// The command line's first address, which scripts may name; the program is cli/main.ts.
import { commandLine } from "../cli/main.ts";

if (import.meta.main) await commandLine();
