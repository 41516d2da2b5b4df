//! The program for a machine of one's own. A Worker is made of the library alone.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    candado::native::cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
