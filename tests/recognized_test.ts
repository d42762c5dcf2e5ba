// The data set of a command line that names a folder alone.
import { assertEquals, assertRejects } from "@std/assert";
import { readTyped } from "../cli/arguments.ts";
import { recognizedDataset } from "../cli/run/recognized.ts";
import { UsageError } from "../train/errors.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { makeFiles } from "./picture_folders.ts";

const ignore = lacks("read", "write");

Deno.test(
  "--data-dir alone takes folders of classes, and names other sets",
  { ignore },
  async () => {
    await withFolder(async (dir) => {
      const found = (...args: string[]) => recognizedDataset(readTyped("train", args).typed);
      await makeFiles(dir, [
        "mine/a/1.jpg",
        "mine/b/1.jpg",
        "cifar/data_batch_1.bin",
        "none/1.jpg",
      ]);
      assertEquals(await found("--data-dir", `${dir}/mine`), { dataset: "folder" });
      // What is wrong with it is said when it is opened.
      assertEquals(await found("--data-dir", `${dir}/none`), { dataset: "folder" });
      assertEquals(await found("--data-dir", `${dir}/nowhere`), { dataset: "folder" });
      assertEquals(await found("--data-dir", `${dir}/cifar`, "--dataset", "cifar100"), {});
      assertEquals(await found("--epochs", "1"), {});
      const { message } = await assertRejects(
        () => found("--data-dir", `${dir}/cifar`),
        UsageError,
      );
      assertEquals(
        message.replaceAll(dir, "DIR"),
        "Cannot read the command line: --data-dir DIR/cifar has the files of cifar10; add --dataset " +
          "cifar10",
      );
    });
  },
);
