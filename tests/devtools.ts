// A page in Chromium, driven over its DevTools protocol.
import { installedChromium } from "./chromium.ts";
import { withFolder } from "./folder.ts";

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ...["--no-first-run", "--no-default-browser-check", "--disable-dev-shm-usage"],
  ...["--remote-debugging-port=0", "--remote-allow-origins=*"],
];

/** How long one answer may take, in milliseconds. */
const PATIENCE = 60_000;

/** A page that is open. */
export interface OpenPage {
  /** Sends a command of the protocol, and gives its result. */
  send(method: string, params?: object): Promise<Record<string, unknown>>;
  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown>;
  /** Waits until an expression is true. */
  until(expression: string): Promise<void>;
  /** What the console and the page complained about. */
  readonly problems: readonly string[];
}

async function within<T>(what: string, found: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = setTimeout(() => reject(new Error(`Chromium took too long to ${what}`)), PATIENCE);
  try {
    return await Promise.race([found, promise]);
  } finally {
    clearTimeout(late);
  }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The address of the first page, from the file that Chromium writes when it listens. */
async function pageSocket(profile: string): Promise<string> {
  while (true) {
    const text = await Deno.readTextFile(`${profile}/DevToolsActivePort`).catch(() => "");
    const [port] = text.split("\n");
    if (port) {
      const response = await fetch(`http://127.0.0.1:${port}/json/list`);
      const pages: { type: string; webSocketDebuggerUrl: string }[] = await response.json();
      const page = pages.find(({ type }) => type === "page");
      if (page) return page.webSocketDebuggerUrl;
    }
    await pause(100);
  }
}

interface Told {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: Record<string, never>;
}

/** The complaint in an event of the protocol, if it is one. */
function complaint({ method, params = {} }: Told): string | undefined {
  const text = JSON.stringify(params);
  if (method === "Runtime.exceptionThrown") return text;
  if (method === "Log.entryAdded" && /"level":"(error|warning)"/.test(text)) return text;
  if (method === "Runtime.consoleAPICalled" && /"type":"(error|warning)"/.test(text)) return text;
}

/** Opens an address in an installed Chromium for as long as `use` takes. */
export async function withPage(
  address: string,
  use: (page: OpenPage) => Promise<void>,
): Promise<void> {
  const chromium = installedChromium();
  if (chromium === undefined) throw new Error("no Chromium is installed");
  await withFolder(async (profile) => {
    const browser = new Deno.Command(chromium, {
      args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    // Its children have stderr as well: until the last of them has ended, they write to the profile.
    const ended = browser.output();
    let socket: WebSocket | undefined;
    try {
      const opened = new WebSocket(await within("start", pageSocket(profile)));
      socket = opened;
      const problems: string[] = [];
      const waiting = new Map<number, (told: Told) => void>();
      opened.onmessage = ({ data }) => {
        const told: Told = JSON.parse(data);
        if (told.id !== undefined) waiting.get(told.id)?.(told);
        const problem = complaint(told);
        if (problem) problems.push(problem);
      };
      await within("listen", new Promise((resolve) => opened.onopen = resolve));
      let ids = 0;
      const send = async (method: string, params = {}): Promise<Record<string, unknown>> => {
        const id = ++ids;
        const { promise, resolve } = Promise.withResolvers<Told>();
        waiting.set(id, resolve);
        opened.send(JSON.stringify({ id, method, params }));
        const { result = {}, error } = await within(method, promise);
        if (error) throw new Error(`${method}: ${error.message}`);
        return result;
      };
      const evaluate = async (expression: string): Promise<unknown> => {
        const found = await send("Runtime.evaluate", { expression, returnByValue: true });
        const { result } = found as { result: { value?: unknown } };
        return result.value;
      };
      const until = (expression: string): Promise<void> =>
        within(
          `make ${expression} true`,
          (async () => {
            while (await evaluate(expression) !== true) await pause(100);
          })(),
        );
      for (const domain of ["Runtime", "Log", "Page"]) await send(`${domain}.enable`);
      await send("Page.navigate", { url: address });
      await until("document.readyState === 'complete' && location.href !== 'about:blank'");
      await use({ send, evaluate, until, problems });
    } finally {
      socket?.close();
      browser.kill();
      await ended;
    }
  });
}
