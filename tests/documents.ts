// The documents as they are written, taken apart.
import { existsSync } from "node:fs";
import { lacks } from "./permissions.ts";

const unread = lacks("read");

export const root = new URL("../", import.meta.url);

/** The text of a file of the repository. */
export function read(path: string): string {
  return unread ? "" : Deno.readTextFileSync(new URL(path, root));
}

/** The documents in a folder, and in those below it. */
function inFolder(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}${name}`;
    return isDirectory ? inFolder(`${path}/`) : name.endsWith(".md") ? [path] : [];
  });
}

function paths(): string[] {
  const named = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
    .filter((path) => existsSync(new URL(path, root)));
  return [...named, ...inFolder("docs/").toSorted(), ...inFolder("examples/").toSorted()];
}

/** The documents, by path. */
export const documents: ReadonlyMap<string, string> = new Map(
  unread ? [] : paths().map((path) => [path, read(path)]),
);

export const readme = documents.get("README.md") ?? "";
export const everything = [...documents.values()].join("\n");

/** The code blocks of a language, in all documents or one of them. */
export function blocks(language: string, text = everything): string[] {
  return [...text.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language).map(([, , text]) => text);
}

/** The rows of the table that follows a heading, without its head. */
export function table(heading: string): string[][] {
  const section = everything.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** What stands in backquotes, outside of blocks. */
export function quoted(text: string): string[] {
  return [...text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`]+)`/g)].map(([, code]) =>
    code
  );
}

/** The lines of a block of shell, without comments; one that ends in a backslash goes on. */
export function shellLines(block: string): string[] {
  return block.replace(/\\\n\s*/g, "").split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim()).filter((line) => line);
}
