//! `candado completions`: for the shell to know the commands.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Arguments as Whole, Problem, print};

#[derive(clap::Args)]
pub(super) struct Arguments {
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let mut script = Vec::new();
    generate(
        arguments.shell,
        &mut Whole::command(),
        "candado",
        &mut script,
    );
    print(&String::from_utf8_lossy(&script))
}
