//! The threat model names a test for each attack, or says why there is none; the tests it names exist.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;

use crate::read;

/// The catalogue's last column by attack: `| ATK-01 | attack | what answers it | tests |`.
fn catalogue() -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for line in read("docs/threat-model.md").lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", attack, _, _, tests, ""] = cells[..]
            && attack.starts_with("ATK-")
        {
            let again = rows.insert(attack.to_owned(), tests.to_owned());
            assert!(again.is_none(), "{attack} has two rows");
        }
    }
    rows
}

/// Whether `source` has a test of that name. Those of the Worker are named by a beginning.
fn has_test(path: &str, source: &str, name: &str) -> bool {
    if Path::new(path).extension().is_some_and(|kind| kind == "rs") {
        source.contains(&format!("fn {name}("))
    } else {
        ["\"", "'", "`"]
            .iter()
            .any(|quote| source.contains(&format!("{quote}{name}")))
    }
}

#[test]
fn every_attack_of_the_catalogue_has_a_row() {
    let attacks = |ids: RangeInclusive<u32>| -> BTreeSet<String> {
        ids.map(|id| format!("ATK-{id:02}")).collect()
    };
    let rows: BTreeSet<String> = catalogue().into_keys().collect();
    // Those after are on what is still being built.
    let missing: Vec<String> = attacks(1..=92).difference(&rows).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
    let unknown: Vec<String> = rows.difference(&attacks(1..=113)).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_row_names_a_test_that_exists_or_says_why_there_is_none() {
    for (attack, tests) in catalogue() {
        let mut file: Option<(&str, String)> = None;
        let mut named = 0;
        // Every second piece stands between backticks: a file, or a test in the file before it.
        for piece in tests.split('`').skip(1).step_by(2) {
            if piece.contains('/') {
                file = Some((piece, read(piece)));
            } else {
                let (path, source) = file.as_ref().unwrap();
                assert!(
                    has_test(path, source, piece),
                    "{attack}: {path} has no {piece}"
                );
                named += 1;
            }
        }
        let explained = tests.contains("No test") || tests.contains("does not apply");
        assert!(named > 0 || explained, "{attack}: {tests}");
    }
}
