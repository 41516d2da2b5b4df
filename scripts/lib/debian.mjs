// The wasm toolchain where rustup cannot download: Debian's newest Rust. Debian packages no standard library
// for wasm32-unknown-unknown with it, but its source: it is compiled once into a folder of the user's that
// looks like a Rust installation. Neither rustup's state nor /usr is changed, apart from the packages.
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.mjs";
import { cargoProgress } from "./progress.mjs";
import { capture, Problem, show, step } from "./steps.mjs";

const packages = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy", "lld-22"];
const target = "wasm32-unknown-unknown";

/** The toolchain if an earlier run has made it. */
export async function existingDebianToolchain() {
  const version = await installedVersion();
  return version && existsSync(folderOf(version)) ? describe(version) : null;
}

export async function debianToolchain(minimumVersion) {
  if ((await capture("apt-get", ["--version"])).code !== 0) return null;
  const version = (await installedVersion()) ?? (await installPackages());
  if (version.localeCompare(minimumVersion, "en", { numeric: true }) < 0) {
    throw new Problem(`Debian's rustc-web is ${version}; Candado needs ${minimumVersion}. Use rustup with a network.`);
  }
  if (!existsSync(folderOf(version))) await buildStandardLibrary(folderOf(version));
  return describe(version);
}

/** The version of rustc-web if all packages are installed. */
async function installedVersion() {
  const { code, stdout } = await capture("dpkg-query", ["--show", "--showformat=${db:Status-Abbrev}${Version}\\n", ...packages]);
  const lines = stdout.split("\n");
  return code === 0 && lines.every((line) => line.startsWith("ii ")) ? lines[0].slice(3).trim() : null;
}

async function installPackages() {
  const root = process.getuid() === 0;
  const asRoot = (...args) => (root ? args : ["sudo", "--non-interactive", "--preserve-env=DEBIAN_FRONTEND", ...args]);
  if (!root) {
    console.log(`Installing Debian's packages ${packages.join(", ")} needs root: sudo may ask for your password.`);
    const { code } = await show("sudo", ["--validate"], { stdio: "inherit", detached: false });
    if (code !== 0) throw new Problem(`Run \`apt-get install --no-install-recommends ${packages.join(" ")}\` as root, then this again.`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const [update, ...updateArgs] = asRoot("apt-get", "update");
  await step("Reading Debian's package lists", "about 5 s", update, updateArgs, { env, log: ["apt-update"] });
  const [install, ...installArgs] = asRoot("apt-get", "install", "--yes", "--no-install-recommends", ...packages);
  await step("Installing Debian's Rust for the wasm build", "about 30 s", install, installArgs, { env, log: ["apt-install"] });
  return installedVersion();
}

const folderOf = (version) => cached("debian-rust", version.replace(/[^\w.+-]/g, "-"));

function describe(version) {
  const folder = folderOf(version);
  return {
    description: `Debian's rustc ${version} (rustup cannot add ${target} here)`,
    environment: {
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      RUSTC: join(folder, "bin", "rustc"),
      CARGO: "/usr/bin/cargo",
      // clippy takes the sysroot from here, because it does not run our rustc.
      SYSROOT: folder,
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: "wasm-ld-22",
    },
  };
}

async function buildStandardLibrary(folder) {
  const build = cached(`building-${process.pid}`);
  const { stdout: host } = await capture("/usr/bin/rustc", ["--print", "host-tuple"]);
  mkdirSync(join(build, "src"), { recursive: true });
  writeFileSync(join(build, "src", "lib.rs"), "");
  writeFileSync(join(build, "Cargo.toml"), '[package]\nname = "empty"\nedition = "2024"\n[workspace]\n');
  const args = ["build", "--release", "-Zbuild-std=std,panic_abort", "--target", target];
  await step(`Compiling Rust's standard library for ${target}`, "about 45 s", "/usr/bin/cargo", args, {
    cwd: build,
    log: ["build-std"],
    // -Zbuild-std is unstable, hence the bootstrap switch; the bitcode lets a crate ask for LTO.
    env: { ...process.env, ...cargoProgress, RUSTC: "/usr/bin/rustc", RUSTC_BOOTSTRAP: "1", RUSTFLAGS: "-Cembed-bitcode=yes", CARGO_TARGET_DIR: join(build, "target") },
  });

  const toolchain = join(build, "toolchain");
  const rustlib = join(toolchain, "lib", "rustlib");
  const compiled = join(build, "target", target, "release", "deps");
  for (const name of readdirSync(compiled).filter((name) => /^lib.*\.rlib$/.test(name) && !/^libempty-/.test(name))) {
    cpSync(join(compiled, name), join(rustlib, target, "lib", name));
  }
  symlinkSync(`/usr/lib/rustlib/${host}`, join(rustlib, host));
  mkdirSync(join(toolchain, "bin"));
  for (const name of ["cargo", "cargo-clippy", "clippy-driver", "rustdoc"]) {
    symlinkSync(`/usr/bin/${name}`, join(toolchain, "bin", name));
  }
  writeFileSync(join(toolchain, "bin", "rustc"), `#!/bin/sh\nexec /usr/bin/rustc --sysroot '${folder}' "$@"\n`);
  chmodSync(join(toolchain, "bin", "rustc"), 0o755);

  mkdirSync(join(folder, ".."), { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  renameSync(toolchain, folder);
  rmSync(build, { recursive: true, force: true });
}
