// Oxford-IIIT Pets: pictures that lists name, and what is refused of the lists.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../data/error.ts";
import { openDataset, openValidationImages } from "../data/folder.ts";
import { arePictures } from "../data/pictures.ts";
import { pets } from "../data/sets/pets.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { JPEG, madeUp, makeFiles } from "./picture_folders.ts";

const ignore = lacks("read", "write");

const TRAIN = "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_100 1 1 1\nbasset_hound_2 2 2 1\n" +
  "basset_hound_1 2 2 1\n";
const TEST = "basset_hound_3 2 2 1\r\nAbyssinian_1 1 1 1\r\n";

/** Makes the set, with other files beside or in the place of its own. */
async function makePets(
  dir: string,
  { trainval = TRAIN, test = TEST, more = {} }: {
    trainval?: string;
    test?: string;
    more?: Record<string, Uint8Array>;
  } = {},
): Promise<void> {
  const named = [...`${TRAIN}${TEST}`.matchAll(/^(\w+_\d+) /gm)].map(([, name]) => name);
  await makeFiles(dir, {
    ...Object.fromEntries(named.map((name) => [`images/${name}.jpg`, JPEG])),
    "annotations/trainval.txt": new TextEncoder().encode(trainval),
    "annotations/test.txt": new TextEncoder().encode(test),
    "annotations/._test.txt": JPEG,
    ...more,
  });
}

Deno.test("the lists of the Pets say what is trained and tested on", { ignore }, async () => {
  for (const below of ["", "/oxford-iiit-pet"]) {
    await withFolder(async (dir) => {
      const root = `${dir}${below}`;
      await makePets(root, {
        more: { "images/Abyssinian_9.jpg": JPEG, "images/Abyssinian_1.mat": JPEG },
      });
      const { options } = madeUp();
      const opened = await openDataset("pets", { seed: 0, dataDir: dir, ...options });
      const { train, validation, notes } = opened;
      assert(arePictures(train) && arePictures(validation));
      assertEquals(train.classes, ["Abyssinian", "basset_hound"]);
      assertEquals(
        train.files.map((file, i) => [file.replace(`${root}/images/`, ""), train.labels[i]]),
        [["Abyssinian_100.jpg", 0], ["basset_hound_2.jpg", 1], ["basset_hound_1.jpg", 1]],
      );
      assertEquals(validation.files.map((file) => file.replace(`${root}/images/`, "")), [
        "basset_hound_3.jpg",
        "Abyssinian_1.jpg",
      ]);
      assertEquals([...validation.labels], [1, 0]);
      assertEquals([validation.name, validation.part], ["pets test", "test"]);
      assertEquals(notes, [
        "2 classes: Abyssinian, basset_hound",
        "1 picture in images/ is in no list and left out",
      ]);
      const alone = await openValidationImages("pets", { seed: 0, dataDir: dir, ...options });
      assert(arePictures(alone));
      assertEquals(alone.files, validation.files);
    });
  }
});

Deno.test("what is wrong with the Pets is named", { ignore }, async () => {
  const cases: readonly { of: Parameters<typeof makePets>[1]; found: string }[] = [
    {
      of: { trainval: `${TRAIN}Abyssinian_7 1 1 1\nAbyssinian_8 1 1 1\n` },
      found:
        "Cannot open pets in DIR: wanted the pictures that trainval.txt names in images/, found " +
        "none of Abyssinian_7, Abyssinian_8; unpack all of images.tar.gz there",
    },
    {
      of: { trainval: `${TRAIN}Abyssinian_100 1 1 1\n` },
      found: "Cannot read DIR/annotations/trainval.txt: wanted each picture once, found " +
        "Abyssinian_100 again in line 5",
    },
    {
      of: { trainval: `${TRAIN}Abyssinian 1 1 1\n` },
      found: "Cannot read DIR/annotations/trainval.txt: wanted lines as Abyssinian_100 1 1 1, a " +
        "picture and its class from 1 on, found Abyssinian 1 1 1 in line 5",
    },
    {
      of: { test: "../../etc/passwd_1 1 1 1\n" },
      found:
        "Cannot read DIR/annotations/test.txt: wanted lines as Abyssinian_100 1 1 1, a picture " +
        "and its class from 1 on, found ../../etc/passwd_1 1 1 1 in line 1",
    },
    {
      of: { test: "Abyssinian_1 0 1 1\n" },
      found:
        "Cannot read DIR/annotations/test.txt: wanted lines as Abyssinian_100 1 1 1, a picture " +
        "and its class from 1 on, found Abyssinian_1 0 1 1 in line 1",
    },
    {
      of: { test: "# nothing\n" },
      found:
        "Cannot read DIR/annotations/test.txt: wanted a list of pictures, found no line with one",
    },
    {
      of: { test: "basset_hound_3 1 1 1\n" },
      found: "Cannot open pets in DIR: wanted one name for each class, found Abyssinian and " +
        "basset_hound as class 1",
    },
    {
      of: { test: `${TEST}Bengal_1 4 1 1\n` },
      found:
        "Cannot open pets in DIR: wanted one name for each class, found no picture of class 3, " +
        "but of 4",
    },
    {
      of: { test: `${TEST}Abyssinian_3 3 1 1\n` },
      found:
        "Cannot open pets in DIR: wanted one name for each class, found Abyssinian as two classes",
    },
    {
      of: { test: `${TEST}Bengal_1 3 1 1\n` },
      found:
        "Cannot open pets in DIR: wanted the same classes in both lists, found Bengal only in " +
        "test.txt",
    },
  ];
  for (const { of, found } of cases) {
    await withFolder(async (dir) => {
      await makePets(dir, of);
      const open = () => openDataset("pets", { seed: 0, dataDir: dir, ...madeUp().options });
      const { message } = await assertRejects(open, DataError);
      assertEquals(message.replaceAll(dir, "DIR"), found);
    });
  }
});

Deno.test("the Pets say what they want where it is not there", { ignore }, async () => {
  await withFolder(async (dir) => {
    const refusal = async (dataDir?: string) => {
      const { message } = await assertRejects(() => pets.open({ dataDir }, ["test"]), DataError);
      return message.replaceAll(dir, "DIR");
    };
    const wanted = "images/ with pictures and annotations/ with trainval.txt and test.txt";
    const cure = "unpack images.tar.gz and annotations.tar.gz of the Oxford-IIIT Pets there";
    assertEquals(
      await refusal(),
      `Cannot open pets: wanted a folder with ${wanted}, found none named; name it with dataDir, and ${cure}`,
    );
    assertEquals(
      await refusal(dir),
      `Cannot open pets in DIR: wanted ${wanted}, found an empty folder; ${cure}`,
    );
    await makeFiles(dir, ["images/Abyssinian_1.jpg", "list.txt"]);
    assertEquals(
      await refusal(dir),
      `Cannot open pets in DIR: wanted ${wanted}, found images, list.txt; ${cure}`,
    );
    await makeFiles(dir, ["annotations/list.txt"]);
    assertEquals(
      await refusal(dir),
      "Cannot read images: wanted a file of the data set, found no file DIR/annotations/trainval.txt",
    );
  });
});

Deno.test("a picture in both lists is told", { ignore }, async () => {
  await withFolder(async (dir) => {
    await makePets(dir, { test: `${TEST}basset_hound_2 2 2 1\n` });
    const found = await pets.pictures?.(dir, ["train", "test"]);
    assertEquals(found?.notes, ["1 picture in both lists: basset_hound_2"]);
  });
});
