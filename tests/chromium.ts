import { fileURLToPath } from "node:url";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

/** The path of an installed Chromium, or nothing. */
export function installedChromium(): string | undefined {
  if (lacks("read", "env")) return undefined;
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const paths = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
    folders.map((folder) => `${folder}/${name}`)
  );
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** Headless, without a GPU and without connections of its own. */
const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu-sandbox", "--enable-unsafe-webgpu"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ...["--no-first-run", "--no-default-browser-check", "--disable-dev-shm-usage"],
];

const PAGE = `<!doctype html><meta charset="utf-8">
<script>
  const tell = (problem) => fetch("/found", { method: "POST", body: JSON.stringify({ problem }) });
  addEventListener("error", ({ message }) => tell(message));
  addEventListener("unhandledrejection", ({ reason }) => tell(String(reason?.stack ?? reason)));
</script>
<script type="module" src="/page.js"></script>`;

const ROOT = fileURLToPath(new URL("../", import.meta.url));

async function bundle(entry: string, out: string, cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--platform", "browser", entry, "-o", out],
    cwd,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** How long a page may take, in milliseconds. */
const PATIENCE = 120_000;

/** Types of files by the ends of their names. */
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

/** A file of a folder that is served. */
async function served(folder: string, path: string): Promise<Response> {
  const type = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  const bytes = await Deno.readFile(`${folder}${path}`).catch(() => undefined);
  return new Response(bytes, {
    status: bytes ? 200 : 404,
    headers: { "content-type": type },
  });
}

/**
 * Bundles a module and opens it in Chromium; gives what it sends to `/found`, or throws its error.
 * Files of a `folder` are served beside it. It is bundled with the configuration of `cwd`, unless told
 * this project's.
 */
export async function inChromium(
  chromium: string,
  entry: string,
  { folder, cwd = ROOT }: { readonly folder?: string; readonly cwd?: string } = {},
): Promise<unknown> {
  let found: unknown;
  await withFolder(async (dir) => {
    await bundle(entry, `${dir}/page.js`, cwd);
    const { promise: sent, resolve } = Promise.withResolvers<unknown>();
    const files: Readonly<Record<string, [type: string, body: string]>> = {
      "/": ["text/html", PAGE],
      "/page.js": ["text/javascript", await Deno.readTextFile(`${dir}/page.js`)],
    };
    const answer = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      if (pathname === "/found") resolve(await request.json());
      if (folder !== undefined && !(pathname in files)) return await served(folder, pathname);
      const [type, body] = files[pathname] ?? ["text/plain", ""];
      return new Response(body, { headers: { "content-type": type } });
    };
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
    const browser = new Deno.Command(chromium, {
      args: [...FLAGS, `--user-data-dir=${dir}/profile`, `http://127.0.0.1:${server.addr.port}/`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const late = setTimeout(() => browser.kill(), PATIENCE);
    // Its children have stderr as well: until the last of them has ended, they write to the profile.
    const ended = browser.output();
    const failed = ended.then(({ stderr }) => {
      throw new Error(
        `Chromium found nothing in ${PATIENCE / 1000} s: ${new TextDecoder().decode(stderr)}`,
      );
    });
    try {
      found = await Promise.race([sent, failed]);
      browser.kill();
    } finally {
      clearTimeout(late);
      await ended;
    }
  });
  if (typeof found === "object" && found && "problem" in found) throw new Error(`${found.problem}`);
  return found;
}
