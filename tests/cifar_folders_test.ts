// CIFAR-10 and CIFAR-100 as pictures in folders of classes.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CIFAR10_CLASSES } from "../data/cifar.ts";
import { DataError } from "../data/error.ts";
import { openDataset } from "../data/folder.ts";
import { arePictures } from "../data/pictures.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { madeUp, makeFiles } from "./picture_folders.ts";

const ignore = lacks("read", "write");

function halves(classes: readonly string[]): string[] {
  return ["train", "test"].flatMap((half) => classes.map((name) => `${half}/${name}/0001.png`));
}

Deno.test("cifar10 takes folders of its classes", { ignore }, async () => {
  await withFolder(async (dir) => {
    await makeFiles(dir, halves(CIFAR10_CLASSES));
    const { options } = madeUp();
    const { train, validation } = await openDataset("cifar10", {
      seed: 0,
      dataDir: dir,
      ...options,
    });
    assert(arePictures(train) && arePictures(validation));
    assertEquals(train.classes, CIFAR10_CLASSES);
    assertEquals([train.name, validation.name], ["cifar10 train", "cifar10 test"]);
    assertEquals(validation.part, "test");
    assertEquals(validation.files[9], `${dir}/test/truck/0001.png`);
  });
});

Deno.test("folders of other classes are no CIFAR", { ignore }, async () => {
  await withFolder(async (dir) => {
    await makeFiles(dir, halves(["cat", "dog"]));
    const refusal = async (name: "cifar10" | "cifar100") => {
      const open = () => openDataset(name, { seed: 0, dataDir: dir, ...madeUp().options });
      return (await assertRejects(open, DataError)).message.replaceAll(dir, "DIR");
    };
    assertEquals(
      await refusal("cifar10"),
      "Cannot open cifar10 in DIR: wanted folders of 10 classes, found 2; use dataset folder for " +
        "another set",
    );
    assertStringIncludes(await refusal("cifar100"), "wanted folders of 100 classes, found 2");
    // Files of the binary version go before folders.
    await makeFiles(dir, ["data_batch_1.bin"]);
    assertStringIncludes(await refusal("cifar10"), "wanted data_batch_1.bin to data_batch_5.bin");
  });
});
