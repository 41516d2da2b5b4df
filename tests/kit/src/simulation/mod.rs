//! Many users for days, in minutes: the service itself, over a database that delays, fails and forgets, on a clock
//! that stands still while anything is to be done.
//!
//! Everything that happens follows from the seed but for the random values the service draws (ids and secrets), on
//! which nothing here depends. What is told to callers must keep the rules in `model`.

mod engine;
mod model;
mod users;
mod world;

use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use tokio::task::LocalSet;
use tokio::time::sleep;

pub use engine::{Defect, Faults};
use world::World;

/// Seconds of the simulated time.
const DAYS: u64 = 3;
const DAY: u64 = 86_400;

/// Longest wait for a failover, and how far behind a standby may be, in seconds. The latter is long, for commits to be
/// lost in a short run too.
const DOWN: u64 = 20;
const BEHIND: u64 = 900;

/// How much is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub users: u32,
    /// Requests, at least.
    pub events: u64,
    pub seed: u64,
    /// A rule to take out.
    pub defect: Option<Defect>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub events: u64,
    pub users: u64,
    pub accepted: u64,
    pub evaluated: u64,
    pub messages: u64,
    pub faults: Faults,
    /// Of all answers in their order: the same for the same seed.
    pub digest: u64,
    /// Rules that were broken.
    pub violations: Vec<String>,
}

/// Runs the simulation. `tell` hears of its progress, in requests.
///
/// # Panics
///
/// The service cannot be set up.
pub fn run(options: Options, tell: &dyn Fn(u64)) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, simulate(options, tell))
}

async fn simulate(options: Options, tell: &dyn Fn(u64)) -> Report {
    let world = Rc::new(World::new(options).await);
    let mut rng = Rng::with_seed(options.seed);
    let incidents = tokio::task::spawn_local(incidents(world.clone(), rng.fork()));
    let chores = tokio::task::spawn_local(chores(world.clone()));
    let began = world.now();
    let mut told = 0;
    while world.events() < options.events {
        // So that the events last for the whole time, however many of them one script makes.
        let due = world.events() * DAYS * DAY * 1000 / options.events;
        let behind = due.saturating_sub((world.now() - began) * 1000);
        sleep(Duration::from_millis(rng.u64(0..=2 * behind.max(1)))).await;
        let user = users::draw(&mut rng, options.users);
        let turn = world.turn().await;
        let (world, rng) = (world.clone(), rng.fork());
        if world.events() >= told + options.events / 100 {
            told = world.events();
            tell(told);
        }
        tokio::task::spawn_local(async move {
            users::act(&world, user, rng).await;
            drop(turn);
        });
    }
    incidents.abort();
    chores.abort();
    world.settle().await;
    world.report()
}

/// Failovers, some a day: every second of them to a standby that had fallen behind. Each time somebody has just used a
/// code, and tries it again afterwards.
async fn incidents(world: Rc<World>, mut rng: Rng) {
    for number in 0_u64.. {
        sleep(Duration::from_secs(rng.u64(DAY / 12..DAY / 4))).await;
        let pause = Duration::from_secs(rng.u64(2..DOWN));
        let user = rng.u32(..world.users());
        users::import(&world, user).await;
        let since = world.now();
        if number % 2 == 1 {
            world.engine.fall_behind();
            sleep(Duration::from_millis(rng.u64(1..BEHIND * 1000))).await;
        }
        let fail_over = || {
            if world.engine.fail_over(pause) {
                world.restart_after_loss(since);
            }
            sleep(pause)
        };
        users::log_in_around(&world, user, fail_over).await;
    }
}

/// The scheduled job.
async fn chores(world: Rc<World>) {
    loop {
        sleep(Duration::from_hours(1)).await;
        world.housekeep().await;
    }
}
