// An ONNX file in the WebGPU of a browser: its page is served to this machine alone, below an address
// that nobody else knows.
import type { Batch } from "../../data/batch.ts";
import type { OnnxInfo } from "../../export/onnx.ts";
import type { Adapter } from "../page/network.ts";
import { BrowserExchange } from "./browser_exchange.ts";
import { browserScript } from "./browser_script.ts";
import { RUNTIME_FILES, runtimeFile } from "./page_files.ts";

/** Headless, and without connections of its own: it shows nothing but our page. */
const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu-sandbox", "--enable-unsafe-webgpu"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ...["--no-first-run", "--no-default-browser-check", "--disable-dev-shm-usage"],
];

/** Milliseconds that the browser may take for its start, and for a batch. */
const PATIENCE = 300_000;

const HTML = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script type="module" src="script"></script>`;

/** What the page is made of, by path: types and contents. */
type Served = Readonly<Record<string, readonly [type: string, body: string | Uint8Array]>>;

async function servedFor(bytes: Uint8Array, info: OnnxInfo): Promise<Served> {
  const runtime = await Promise.all(RUNTIME_FILES.map(async (name) => {
    const type = name.endsWith("wasm") ? "application/wasm" : "text/javascript";
    return [`runtime/${name}`, [type, await Deno.readFile(await runtimeFile(name))]] as const;
  }));
  const { image, normalization, range, classes } = info;
  const script = await browserScript(new URL("../page/check.ts", import.meta.url));
  return {
    "": ["text/html", HTML],
    script: ["text/javascript", script],
    info: ["application/json", JSON.stringify({ image, normalization, range, classes })],
    model: ["application/octet-stream", bytes],
    ...Object.fromEntries(runtime),
  };
}

/** An ONNX file that runs in a browser's WebGPU. */
export class BrowserSession {
  readonly adapter: Adapter;
  readonly #exchange: BrowserExchange;
  readonly #info: OnnxInfo;
  readonly #end: () => Promise<void>;

  private constructor(
    adapter: Adapter,
    parts: {
      readonly exchange: BrowserExchange;
      readonly info: OnnxInfo;
      readonly end: () => Promise<void>;
    },
  ) {
    this.adapter = adapter;
    this.#exchange = parts.exchange;
    this.#info = parts.info;
    this.#end = parts.end;
  }

  /**
   * Starts a browser with a file of ours. Raises a `GpuError` where it has no adapter, or
   * cannot run the file.
   */
  static async open(browser: string, bytes: Uint8Array, info: OnnxInfo): Promise<BrowserSession> {
    const exchange = new BrowserExchange(browser);
    const served = await servedFor(bytes, info);
    const secret = `/${crypto.randomUUID()}/`;
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        if (!pathname.startsWith(secret)) return new Response(null, { status: 404 });
        const path = pathname.slice(secret.length);
        const answer = await exchange.answer(path, request);
        if (answer) return answer;
        const [type, body] = Object.hasOwn(served, path) ? served[path] : [];
        if (type === undefined) return new Response(null, { status: 404 });
        return new Response(body as BodyInit, { headers: { "content-type": type } });
      },
    );
    const profile = await Deno.makeTempDir();
    let child: Deno.ChildProcess | undefined;
    // All its children have stderr: until the last of them has ended, they write to the profile.
    let ended: Promise<unknown> = Promise.resolve();
    const end = async (): Promise<void> => {
      exchange.end();
      try {
        child?.kill();
      } catch { /* It has ended already. */ }
      await ended;
      await server.shutdown();
      await Deno.remove(profile, { recursive: true }).catch(() => {});
    };
    try {
      const address = `http://127.0.0.1:${server.addr.port}${secret}`;
      const args = [...FLAGS, `--user-data-dir=${profile}`, address];
      const started = new Deno.Command(browser, {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      child = started;
      ended = started.output().then(({ code }) => exchange.fail(`it ended with code ${code}`));
      const adapter = await within(exchange, exchange.ready);
      return new BrowserSession(adapter, { exchange, info, end });
    } catch (error) {
      await end();
      throw error;
    }
  }

  /** Logits of the images of a batch that are meant, `[count, classes]`, row-major. */
  logits({ pixels, count }: Batch): Promise<Float32Array> {
    const [height, width, channels] = this.#info.image;
    const meant = pixels.slice(0, count * height * width * channels);
    return within(this.#exchange, this.#exchange.run(meant));
  }

  /** Ends the browser. */
  async close(): Promise<void> {
    await this.#end();
  }
}

/** What comes in time. */
async function within<T>(exchange: BrowserExchange, found: Promise<T>): Promise<T> {
  const late = setTimeout(() => {
    exchange.fail(`it was given up after ${PATIENCE / 60_000} minutes`);
  }, PATIENCE);
  try {
    return await found;
  } finally {
    clearTimeout(late);
  }
}
