//! `candado import`: users and their authenticator apps, from what another product wrote.

mod journal;
mod sender;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use self::journal::Journal;
use self::sender::{Sender, Sent};
use super::{Problem, print};
use crate::domain::bring::{self, Brought, Format};
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::csv;
use crate::domain::ids::UserId;

/// Requests under way at a time.
const AT_ONCE: usize = 8;

#[derive(clap::Args)]
#[command(after_help = "\
The service takes it as one of its clients, by CANDADO_API_KEY (with the scope enrol) or by CANDADO_CLIENT_ID and
CANDADO_CLIENT_SECRET. Run it again after it was cut off: whoever is through is not asked for again.")]
pub(super) struct Arguments {
    /// What wrote the file: otpauth, csv, oath-csv, pskc, keycloak, auth0, authelia, better-auth
    #[arg(long, value_parser = format)]
    from: Format,
    file: PathBuf,
    /// Reads and checks every record, and sends nothing
    #[arg(long)]
    dry_run: bool,
    /// Lines of `serial,user_id`: what the file calls a token or a user, and your id of the user
    #[arg(long)]
    map: Option<PathBuf>,
    /// A file with the key the secrets are encrypted with: of pskc 32 hexadecimal digits, of better-auth its secret
    #[arg(long)]
    key: Option<PathBuf>,
    /// Where what was refused goes, as CSV; FILE.refused.csv if not given
    #[arg(long)]
    report: Option<PathBuf>,
    /// Prints one JSON object in the end
    #[arg(long)]
    json: bool,
}

fn format(text: &str) -> Result<Format, String> {
    let mut all = Format::ALL.into_iter();
    let names = Format::ALL.map(Format::name).join(", ");
    all.find(|format| format.name() == text)
        .ok_or(format!("expected one of {names}"))
}

/// A record on its way: where it stands in the file, and what is known of it.
struct Row {
    place: usize,
    brought: Brought,
}

/// A record that is not brought along.
struct Refused {
    place: usize,
    user: String,
    reason: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let (rows, mut refused) = records(arguments)?;
    let mut totals = Totals {
        records: rows.len() + refused.len(),
        ..Totals::default()
    };
    if arguments.dry_run {
        totals.ready = rows.len();
    } else {
        let stopped = send(&arguments.file, rows, &mut refused, &mut totals);
        totals.refused = refused.len();
        report(arguments, &refused)?;
        stopped?;
    }
    totals.refused = refused.len();
    for one in refused
        .iter()
        .filter(|_| arguments.dry_run && !arguments.json)
    {
        print(&format!(
            "{}: {}: {}\n",
            one.place,
            shown(&one.user),
            one.reason
        ))?;
    }
    print(&totals.told(arguments.json))?;
    match (refused.len(), arguments.dry_run) {
        (0, _) => Ok(()),
        (1, true) => Err("1 record cannot be brought along".to_owned()),
        (many, true) => Err(format!("{many} records cannot be brought along")),
        (_, false) => Err(format!(
            "what was refused, and why: {}",
            report_path(arguments).display()
        )),
    }
}

/// For a terminal: the file's own text, without what moves a cursor.
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[derive(Default)]
struct Totals {
    records: usize,
    ready: usize,
    imported: usize,
    there_already: usize,
    done_before: usize,
    refused: usize,
}

impl Totals {
    fn told(&self, json: bool) -> String {
        let counts = [
            ("records", self.records),
            ("ready", self.ready),
            ("imported", self.imported),
            ("there_already", self.there_already),
            ("done_before", self.done_before),
            ("refused", self.refused),
        ];
        if json {
            let object: serde_json::Map<_, _> = counts
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count.into()))
                .collect();
            return format!("{}\n", serde_json::Value::Object(object));
        }
        let some = counts
            .into_iter()
            .filter(|(name, count)| *count > 0 || *name == "records");
        let lines = some.map(|(name, count)| format!("{:14} {count}\n", name.replace('_', " ")));
        lines.collect()
    }
}

/// What can be sent, and what cannot.
fn records(arguments: &Arguments) -> Result<(Vec<Row>, Vec<Refused>), Problem> {
    let text = read(&arguments.file)?;
    let key = arguments
        .key
        .as_deref()
        .map(|path| key(arguments.from, path))
        .transpose()?;
    let map = arguments.map.as_deref().map(map).transpose()?;
    let read = bring::read(arguments.from, &text, key.as_deref());
    let read = read.map_err(|error| format!("{}: {error}", arguments.file.display()))?;
    let (mut rows, mut refused, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for record in read {
        let place = record.place;
        let checked = match record.read {
            Err(reason) => Err((String::new(), reason.to_string())),
            Ok(brought) => check(brought, map.as_ref(), &mut seen),
        };
        match checked {
            Ok(brought) => rows.push(Row { place, brought }),
            Err((user, reason)) => refused.push(Refused {
                place,
                user,
                reason,
            }),
        }
    }
    Ok((rows, refused))
}

/// What the service would refuse, told before anything is sent.
fn check(
    mut brought: Brought,
    map: Option<&HashMap<String, String>>,
    seen: &mut HashSet<String>,
) -> Result<Brought, (String, String)> {
    let user = brought.user.clone();
    let no = |reason: String| Err((user.clone(), reason));
    if let Some(map) = map {
        match map.get(&brought.user) {
            Some(mapped) => mapped.clone_into(&mut brought.user),
            None => return no("the map names no user for it".to_owned()),
        }
    }
    if let Err(error) = UserId::try_from(brought.user.clone()) {
        return no(format!("expected {error}: give a map"));
    }
    if !seen.insert(brought.user.clone()) {
        return no(
            "the user has another authenticator further up; one is brought along".to_owned(),
        );
    }
    if let Some(Err(error)) = brought.phone.as_deref().map(Phone::parse) {
        return no(format!("phone: expected {error}"));
    }
    if let Some(Err(error)) = brought.email.as_deref().map(Email::parse) {
        return no(format!("email: expected {error}"));
    }
    Ok(brought)
}

fn read(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn key(format: Format, path: &Path) -> Result<Vec<u8>, Problem> {
    let text = read(path)?;
    let text = text.trim();
    if format == Format::Pskc {
        return hex::decode(text)
            .map_err(|_| format!("{}: expected hexadecimal digits", path.display()));
    }
    Ok(text.as_bytes().to_vec())
}

fn map(path: &Path) -> Result<HashMap<String, String>, Problem> {
    let text = read(path)?;
    let mut map = HashMap::new();
    for (line, place) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, user) = line
            .split_once(',')
            .ok_or_else(|| format!("{} line {place}: expected serial,user_id", path.display()))?;
        map.insert(name.trim().to_owned(), user.trim().to_owned());
    }
    Ok(map)
}

fn send(
    file: &Path,
    rows: Vec<Row>,
    refused: &mut Vec<Refused>,
    totals: &mut Totals,
) -> Result<(), Problem> {
    let mut journal = Journal::open(&beside(file, ".done"))?;
    let all = rows.len();
    let left: Vec<Row> = rows
        .into_iter()
        .filter(|row| !journal.has(&row.brought.user))
        .collect();
    totals.done_before = all - left.len();
    let mut sender = Sender::new()?;
    let bar = bar(all, totals.done_before);
    let before = refused.len();
    for chunk in left.chunks(AT_ONCE) {
        let brought: Vec<&Brought> = chunk.iter().map(|row| &row.brought).collect();
        let answers = sender.send(&brought)?;
        for (row, answer) in chunk.iter().zip(answers) {
            match answer {
                Sent::Imported => totals.imported += 1,
                Sent::ThereAlready => totals.there_already += 1,
                Sent::Refused(reason) => {
                    let user = row.brought.user.clone();
                    refused.push(Refused {
                        place: row.place,
                        user,
                        reason,
                    });
                    continue;
                }
            }
            journal.add(&row.brought.user)?;
        }
        journal.keep()?;
        bar.inc(chunk.len() as u64);
        if refused.len() > before {
            bar.set_message(format!("{} refused", refused.len() - before));
        }
    }
    bar.finish();
    Ok(())
}

/// On a terminal; elsewhere it says nothing.
fn bar(all: usize, done: usize) -> ProgressBar {
    let bar = ProgressBar::new(all as u64).with_position(done as u64);
    let template = "{bar:24} {pos} of {len}, {per_sec}, {eta} left  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn report_path(arguments: &Arguments) -> PathBuf {
    let given = arguments.report.clone();
    given.unwrap_or_else(|| beside(&arguments.file, ".refused.csv"))
}

/// By line, without any secret. Of a run without refusals no report is left.
fn report(arguments: &Arguments, refused: &[Refused]) -> Result<(), Problem> {
    let path = report_path(arguments);
    if refused.is_empty() {
        let _ = fs::remove_file(&path);
        return Ok(());
    }
    let mut text = String::new();
    csv::push_line(&mut text, ["place", "user_id", "reason"]);
    for one in refused {
        let place = one.place.to_string();
        csv::push_line(&mut text, [place.as_str(), &one.user, &one.reason]);
    }
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
