// Modules of ours as one script for a browser: their types are left out, and all of them share a scope.
import { stripTypeScriptTypes } from "node:module";

/** Statements that join modules; what is left of those of types alone is nothing. */
const JOINT = /^(?:import|export)\s*(?:\*|\{[^}]*\})\s*from\s*"([^"]+)";$/gm;
/** What a module declares at its top. */
const DECLARED = /^(?:export )?(?:async )?(?:function\*?|class|const|let) (\w+)/gm;

interface Linked {
  /** By address, in the order in which they run. */
  readonly modules: Map<string, string>;
  /** The address of the module that declares a name. */
  readonly names: Map<string, string>;
}

async function link(url: URL, { modules, names }: Linked): Promise<void> {
  if (modules.has(url.href)) return;
  const code = stripTypeScriptTypes(await Deno.readTextFile(url));
  // Its place is kept, so that a circle ends.
  modules.set(url.href, "");
  for (const [, module] of code.matchAll(JOINT)) {
    await link(new URL(module, url), { modules, names });
  }
  for (const [, name] of code.matchAll(DECLARED)) {
    const other = names.get(name);
    if (other !== undefined) throw new Error(`${url} and ${other} both declare ${name}`);
    names.set(name, url.href);
  }
  const body = code.replace(JOINT, "").replace(/^export /gm, "").replace(/[ \t]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n").trim();
  // After those that it imports.
  modules.delete(url.href);
  modules.set(url.href, body);
}

/**
 * The script of a module and all that it imports, which are files of ours: no packages, no names
 * that are changed by an import, and none that two of them declare.
 */
export async function browserScript(entry: URL): Promise<string> {
  const linked: Linked = { modules: new Map(), names: new Map() };
  await link(entry, linked);
  return [...linked.modules.values()].filter((body) => body !== "").join("\n\n");
}
