// What reaches the disk. The kernel's own count for a process says how much of its cache a process has made dirty, and
// counts the whole of a large folio for a few bytes of it: twenty times of what is written here. So it is the disk that
// is asked, while nobody but the contender of the turn has work to do.
import { existsSync, readFileSync, statSync } from "node:fs";
import { capture, root } from "./repository.mjs";

const SECTOR = 512;

/** Bytes the disk under the checkout has written, once all that is dirty is on it; `null` where that is not told. */
export async function bytesWritten() {
  const { dev } = statSync(root);
  // As glibc's gnu_dev_major and gnu_dev_minor, for the numbers disks have.
  const path = `/sys/dev/block/${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}/stat`;
  if (!existsSync(path)) return null;
  await capture("sync", []);
  // Documentation/admin-guide/iostats.rst, field 7.
  return SECTOR * Number(readFileSync(path, "utf8").trim().split(/\s+/)[6]);
}
