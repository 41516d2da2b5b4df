// npm run calling-codes: makes src/domain/contact/calling_codes/ from the metadata of libphonenumber. With --check it
// only says whether what is there is what it would make.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./lib/cache.mjs";
import { pythonTools } from "./lib/python.mjs";
import { main, Problem, root, show } from "./lib/steps.mjs";

const libphonenumber = "9.0.43";
const place = join(root, "src", "domain", "contact", "calling_codes");
const files = ["countries.txt", "refused.txt"];

await main(async () => {
  const check = process.argv[2] === "--check";
  const requirements = [`phonenumbers==${libphonenumber}`, "regex==2026.11.19"];
  const program = await pythonTools(cached("tools", `phonenumbers-${libphonenumber}`), "libphonenumber's metadata", requirements);
  const made = check ? join(root, "target", "calling-codes") : place;
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  const { code } = await show(program("python"), ["scripts/lib/calling_codes.py", made]);
  if (code !== 0) throw new Problem("The tables could not be made.");
  const others = files.filter((name) => !readFileSync(join(made, name)).equals(readFileSync(join(place, name))));
  if (others.length) throw new Problem(`${others.join(" and ")} is not what libphonenumber ${libphonenumber} says: npm run calling-codes`);
});
