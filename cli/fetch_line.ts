import { PackageFetch } from "../data/package_fetch.ts";

/** Says of each package once that it is fetched, and how large it is. */
export function sayFetches(printError: (text: string) => void): void {
  const said = new Set<string>();
  globalThis.addEventListener(PackageFetch.TYPE, (event) => {
    if (!(event instanceof PackageFetch)) return;
    const { name, megabytes } = event.package;
    if (!said.has(name)) printError(`fetching ${name}, once (${megabytes} MB)\n`);
    said.add(name);
  });
}
