//! What is known of each user from the answers alone, and the rules that it must not break.

use std::collections::{HashMap, VecDeque};

/// Seconds.
const MINUTE: u64 = 60;
const DAY: u64 = 86_400;
/// Between a decision and its answer, at most: what happened within a period was perhaps told outside of it.
const LATE: u64 = 90;

/// Wrong guesses of a class that may be evaluated within 24 hours.
const GUESSES: usize = 50;
/// Messages to one destination in ten minutes, and in a day.
const MESSAGES: [(u64, usize); 2] = [(600, 5), (DAY, 10)];

#[derive(Default)]
struct User {
    /// What was accepted lately, and when: each may be once.
    accepted: VecDeque<(u64, String)>,
    guesses: VecDeque<u64>,
    messages: VecDeque<u64>,
    /// When the last message came that the service knows of.
    known: Option<u64>,
}

pub(super) struct Model {
    users: HashMap<u32, User>,
    budget: u64,
    /// Until then what is told may have been decided before commits were lost, and be counted nowhere.
    uncounted_until: u64,
    /// Messages of each day of UTC.
    days: HashMap<u64, u64>,
    pub(super) violations: Vec<String>,
    pub(super) accepted: u64,
    pub(super) evaluated: u64,
    pub(super) messages: u64,
}

impl Model {
    /// `budget`: messages of the client in a day.
    pub(super) fn new(budget: u64) -> Self {
        Self {
            users: HashMap::new(),
            budget,
            uncounted_until: 0,
            days: HashMap::new(),
            violations: Vec::new(),
            accepted: 0,
            evaluated: 0,
            messages: 0,
        }
    }

    /// A code was told to be good. `what`: the code, such that the same one is the same text.
    pub(super) fn accept(&mut self, user: u32, what: String, now: u64) {
        self.accepted += 1;
        let known = &mut self.users.entry(user).or_default().accepted;
        // No code lives for an hour; recovery codes are kept.
        known.retain(|(at, what)| at + 3600 > now || what.starts_with("recovery"));
        if known.iter().any(|(_, before)| *before == what) {
            self.violations
                .push(format!("at {now}: user {user}: {what} was accepted twice"));
        }
        known.push_back((now, what));
    }

    /// A guess was told to be wrong.
    pub(super) fn evaluate(&mut self, user: u32, now: u64) {
        self.evaluated += 1;
        if now < self.uncounted_until {
            return;
        }
        let guesses = &mut self.users.entry(user).or_default().guesses;
        let count = within(guesses, DAY - LATE, now);
        if count > GUESSES {
            self.violations.push(format!(
                "at {now}: user {user}: {count} guesses were evaluated in 24 hours"
            ));
        }
    }

    /// A message arrived. One whose provider did not answer gives its cooldown back, and no more (decision 3).
    pub(super) fn deliver(&mut self, user: u32, now: u64, answered: bool) {
        self.messages += 1;
        if now < self.uncounted_until {
            return;
        }
        let known = self.users.entry(user).or_default();
        let last = known.known;
        if answered {
            known.known = Some(now);
        }
        let messages = &mut known.messages;
        if last.is_some_and(|last| last + MINUTE > now + 15) {
            self.violations.push(format!(
                "at {now}: user {user}: a message came within a minute of another"
            ));
        }
        for (period, most) in MESSAGES {
            let count = messages
                .iter()
                .filter(|at| **at + period - LATE > now)
                .count()
                + 1;
            if count > most {
                self.violations.push(format!(
                    "at {now}: user {user}: {count} messages in {period} s"
                ));
            }
        }
        within(messages, DAY, now);
        // Around midnight either day may have decided.
        if now % DAY > LATE {
            let sent = self.days.entry(now / DAY).or_default();
            *sent += 1;
            if *sent > self.budget {
                let sent = *sent;
                self.violations
                    .push(format!("at {now}: {sent} messages of one client in a day"));
            }
        }
    }

    /// Something that is not among what may happen.
    pub(super) fn object(&mut self, problem: String) {
        self.violations.push(problem);
    }

    /// Commits since then were lost: what was counted by them is not counted any more. Codes stay used, which is what
    /// `RESTORED_AT` is for.
    pub(super) fn forget_counts_since(&mut self, since: u64, now: u64) {
        self.uncounted_until = now + LATE;
        for user in self.users.values_mut() {
            user.guesses.retain(|at| *at < since);
            for at in user.messages.iter().filter(|at| **at >= since) {
                if let Some(sent) = self.days.get_mut(&(at / DAY)) {
                    *sent = sent.saturating_sub(1);
                }
            }
            user.messages.retain(|at| *at < since);
            user.known = user.known.filter(|at| *at < since);
        }
    }
}

/// Adds `now`, and says how many there are within the last `period`.
fn within(times: &mut VecDeque<u64>, period: u64, now: u64) -> usize {
    times.push_back(now);
    while times.front().is_some_and(|at| at + period <= now) {
        times.pop_front();
    }
    times.len()
}
