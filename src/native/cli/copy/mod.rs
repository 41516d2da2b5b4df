//! `candado copy`: everything one database holds into another that is empty, compared row by row.
//!
//! Nothing else may write meanwhile, so both are opened for this process alone. What is done is noted in the target,
//! in the transaction that did it: whoever is stopped goes on from there. A program refuses to serve a target whose
//! copy has not ended.

mod compare;
mod dump;
mod place;
mod progress;
mod rows;
mod tables;
mod transfer;

use std::env;

use super::serve::block_on;
use super::{Problem, print};
use progress::Progress;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What to copy: a SQLite file, `postgres://user:password@host/database`, or what `wrangler d1 export` wrote
    ///
    /// Others on this machine can read a command's arguments: with a password, set the variable instead.
    #[arg(
        long,
        env = "COPY_FROM",
        hide_env_values = true,
        value_name = "DATABASE"
    )]
    from: String,
    /// Where it goes: a SQLite file, which is made, or `postgres://user:password@host/database`
    ///
    /// It is empty, or holds what an earlier run of the same copy has done.
    #[arg(long, env = "COPY_TO", hide_env_values = true, value_name = "DATABASE")]
    to: String,
    /// Prints progress and result as lines of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let progress = Progress::new(arguments.json);
    block_on(copy(&arguments.from, &arguments.to, &progress))?
}

async fn copy(from: &str, to: &str, progress: &Progress) -> Result<(), Problem> {
    let source = place::source(from, progress).await?;
    let target = place::target(to).await?;
    let (source, target) = (source.database(), target.as_ref());
    let tables = tables::of_this_version()?;
    tables::check("--from", source, &tables).await?;
    tables::check("--to", target, &tables).await?;
    transfer::begin(source, target, &tables).await?;

    // Without a client nobody can ask for anything, so they come when all that belongs to them is there.
    let (clients, others) = tables.split_last().ok_or("no tables")?;
    let mut rows = 0;
    for table in others {
        transfer::table(source, target, table, progress).await?;
    }
    transfer::set_sequences(target, others).await?;
    for table in others {
        rows += compare::table(source, target, table, progress).await?;
    }
    transfer::table(source, target, clients, progress).await?;
    rows += compare::table(source, target, clients, progress).await?;
    transfer::end(target).await?;
    print(&progress.result(rows))
}

/// What a place is called where people read it: without a password.
fn shown(place: &str) -> String {
    if place::is_server(place) {
        return "the PostgreSQL".to_owned();
    }
    env::current_dir().map_or_else(
        |_| place.to_owned(),
        |folder| folder.join(place).display().to_string(),
    )
}
