//! An id or a page that the code, a test or a document cites is one that the reader can look up here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

use crate::{files, read};

const REQUIREMENTS: &str = "docs/requirements.md";
const DECISIONS: &str = "docs/decisions/README.md";
const FAMILIES: &str = "totp|oob|rec|rate|sms|enr|tok|ten|cry|api|log|rel|cfg";

/// Everything that a reader of the repository reads.
fn texts() -> Vec<(String, String)> {
    let mut paths = files(
        &[
            "src",
            "tests",
            "docs",
            "migrations",
            "scripts",
            "clients",
            "examples",
            "sandbox",
            "fuzz",
            "benches",
        ],
        &[".rs", ".md", ".mjs", ".ts", ".py", ".sql", ".json"],
    );
    paths.extend(
        [
            "README.md",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
            "SECURITY.md",
            "Cargo.toml",
        ]
        .map(String::from),
    );
    // This file speaks of ids that are not there.
    paths.retain(|path| {
        path != "tests/repository/references.rs" && !path.ends_with("package-lock.json")
    });
    paths
        .into_iter()
        .map(|path| (read(&path), path))
        .map(|(text, path)| (path, text))
        .collect()
}

/// What `pattern`'s first group finds in `text`.
fn found<'a>(pattern: &'a Regex, text: &'a str) -> impl Iterator<Item = &'a str> {
    pattern
        .captures_iter(text)
        .map(|found| found.get(1).unwrap().as_str())
}

/// `TOTP-07` in a comment and `totp_07_…` in a test's name, with the file of one of them.
fn cited(ids: &str) -> BTreeMap<String, String> {
    let id = Regex::new(&format!(
        r"(?i)(?:^|[^a-z0-9])((?:{ids})[-_][0-9]{{2,3}})(?:$|[^0-9])"
    ))
    .unwrap();
    let mut cited = BTreeMap::new();
    for (path, text) in texts() {
        if path != REQUIREMENTS {
            for id in found(&id, &text) {
                cited.insert(id.to_uppercase().replace('_', "-"), path.clone());
            }
        }
    }
    cited
}

#[test]
fn every_requirement_that_is_cited_is_defined_once_and_every_defined_one_is_cited() {
    let row = Regex::new(r"(?m)^\| ([A-Z]+-[0-9]+) \|").unwrap();
    let page = read(REQUIREMENTS);
    let rows: Vec<&str> = found(&row, &page).collect();
    let defined: BTreeSet<String> = rows.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(
        rows.len(),
        defined.len(),
        "{REQUIREMENTS} defines one id twice"
    );

    let cited = cited(FAMILIES);
    for (id, path) in &cited {
        assert!(
            defined.contains(id),
            "{path} cites {id}, which {REQUIREMENTS} does not have"
        );
    }
    for id in defined {
        assert!(
            cited.contains_key(&id),
            "{REQUIREMENTS} has {id}, which nothing cites"
        );
    }
}

#[test]
fn every_attack_that_is_cited_stands_in_the_catalogue() {
    let catalogue = read("docs/threat-model.md");
    for (id, path) in cited("atk") {
        assert!(
            catalogue.contains(&format!("\n| {id} |")),
            "{path} cites {id}, which the catalogue does not have"
        );
    }
}

#[test]
fn every_decision_that_is_cited_is_a_page_and_every_page_is_listed_by_its_title() {
    let list = read(DECISIONS);
    let mut numbers = BTreeSet::new();
    for path in files(&["docs/decisions"], &[".md"]) {
        let Some(number) = path
            .strip_prefix("docs/decisions/")
            .and_then(|name| name[..4].parse::<u16>().ok())
        else {
            continue;
        };
        assert!(numbers.insert(number), "two pages have the number {number}");
        let page = read(&path);
        let title = page
            .lines()
            .next()
            .unwrap()
            .strip_prefix(&format!("# {number}. "));
        let title = title.unwrap_or_else(|| panic!("{path} does not begin with its number"));
        let name = path.rsplit('/').next().unwrap();
        let row = format!("\n| [{number}]({name}) | {title}");
        assert!(
            list.contains(&row),
            "{DECISIONS} does not list {path} as {title:?}"
        );
    }
    let decision = Regex::new(r"(?i)\bdecisions? ([0-9]+)\b").unwrap();
    for (path, text) in texts() {
        for number in found(&decision, &text) {
            assert!(
                numbers.contains(&number.parse().unwrap()),
                "{path} cites decision {number}, which has no page"
            );
        }
    }
}

#[test]
fn links_between_documents_lead_to_files() {
    // Addresses of the site (`/docs`) are followed in a browser, by tests/site.
    let link = Regex::new(r"\]\(([^)#:\s/][^)#:\s]*)(?:#[^)]*)?\)").unwrap();
    let documents = texts();
    for (path, text) in documents.iter().filter(|(path, _)| is_document(path)) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for target in found(&link, text) {
            let file = crate::root().join(folder).join(target);
            assert!(
                file.exists(),
                "{path} links to {target}, which is not there"
            );
        }
    }
}

fn is_document(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|kind| kind == "md")
}

/// The words of a list that the reader does not have.
#[test]
fn nothing_speaks_of_documents_that_are_not_in_the_repository() {
    for (path, text) in texts() {
        for words in [
            "SECURITY decision",
            "SECURITY appendix",
            "the seed's",
            "The seed's",
            "as the seed",
        ] {
            assert!(!text.contains(words), "{path} says {words:?}");
        }
    }
}
