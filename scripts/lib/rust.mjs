// The Rust toolchain for a target that is not the machine's own: the user's if it has that target or rustup can add it,
// else, for wasm, Debian's beside it. Native builds always use the user's own.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { debianToolchain, existingDebianToolchain } from "./debian.mjs";
import { capture, Problem, root, step } from "./steps.mjs";

export const wasm = "wasm32-unknown-unknown";

/** Linux without a library of the system: what the image holds. */
export const musl = `${{ x64: "x86_64", arm64: "aarch64" }[process.arch]}-unknown-linux-musl`;

/** Answers `{ description, environment }`; the environment makes cargo and rustc on PATH the right ones. */
export async function toolchainFor(target) {
  await requireRust();
  const toolchain =
    (await ownToolchain(target)) ??
    (target === wasm ? await existingDebianToolchain() : null) ??
    (await rustupTarget(target)) ??
    (target === wasm ? await debianToolchain(minimumVersion()) : null);
  if (toolchain) return toolchain;
  throw new Problem(
    `This Rust has no standard library for ${target}, and neither rustup nor apt can supply one here.\n` +
      `Run \`rustup target add ${target}\` where static.rust-lang.org can be reached` +
      (target === wasm ? ", or use Debian 12 or later." : "."),
  );
}

async function requireRust() {
  const wanted = minimumVersion();
  const { code, stdout } = await capture("rustc", ["--version"]);
  if (code !== 0) throw new Problem(`Rust is missing: install ${wanted} or later from https://rustup.rs.`);
  const version = stdout.split(" ")[1];
  if (isOlder(version, wanted)) {
    throw new Problem(`Rust ${version} is too old: Candado needs ${wanted} (\`rustup update stable\`).`);
  }
}

async function ownToolchain(target) {
  const { stdout } = await capture("rustc", ["--print", "target-libdir", "--target", target]);
  const complete = existsSync(stdout) && readdirSync(stdout).some((name) => /^libstd-.*\.rlib$/.test(name));
  if (!complete) return null;
  const { stdout: version } = await capture("rustc", ["--version"]);
  return { description: `your own ${version}`, environment: {} };
}

async function rustupTarget(target) {
  if ((await capture("rustup", ["--version"])).code !== 0) return null;
  try {
    // Offline it fails at once; where packets vanish it would wait for minutes.
    await step(`Adding ${target} with rustup`, "about 5 s", "rustup", ["target", "add", target], {
      log: ["rustup"],
      timeout: 90_000,
    });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.log("rustup cannot download it here; looking for Debian's Rust instead.");
    return null;
  }
  return ownToolchain(target);
}

// Not by `cargo metadata`: it is asked for where cargo is missing, or too old for the edition.
const minimumVersion = () => readFileSync(join(root, "Cargo.toml"), "utf8").match(/^rust-version = "(.*)"$/m)[1];

export function isOlder(version, than) {
  const [a, b] = [version, than].map((text) => text.split(".").map((part) => parseInt(part, 10)));
  return (a[0] - b[0] || a[1] - b[1]) < 0;
}
