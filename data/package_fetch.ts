import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** A package that is loaded when it is first needed. */
export interface LatePackage {
  /** Its name and version, as `sharp 0.35.5`. */
  readonly name: string;
  /** Megabytes that it takes, with all that it needs. */
  readonly megabytes: number;
  /** Its module, as `import.meta.resolve()` gives it: a file in Deno's cache. */
  readonly module: string;
}

/** The event that a package is about to be fetched, which happens once on a machine. */
export class PackageFetch extends Event {
  /** Its name for listeners. */
  static readonly TYPE = "packagefetch";
  readonly package: LatePackage;

  constructor(fetched: LatePackage) {
    super(PackageFetch.TYPE);
    this.package = fetched;
  }
}

/** Whether a module is of a package that Deno's cache lacks; not where nobody may look. */
function isMissing(module: string): boolean {
  if (!module.startsWith("file:")) return false;
  const path = dirname(fileURLToPath(module));
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return false;
  try {
    Deno.statSync(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** Dispatches a {@link PackageFetch} on `globalThis` where loading a package is going to fetch it. */
export function tellFetch(late: LatePackage): void {
  if (isMissing(late.module)) globalThis.dispatchEvent(new PackageFetch(late));
}
