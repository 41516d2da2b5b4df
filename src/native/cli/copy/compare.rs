//! Both sides read again, side by side, and each row compared with its other.

use std::cmp::Ordering;

use futures_util::future::join;

use super::progress::{Progress, Step};
use super::rows::{Page, Values, key, noted};
use super::tables::Table;
use crate::native::cli::Problem;
use crate::platform::{Database, Value};

/// Differences that are told one by one.
const TOLD: usize = 5;

/// How many rows the table has on both sides, if they are the same.
pub(super) async fn table(
    source: &dyn Database,
    target: &dyn Database,
    table: &Table,
    progress: &Progress,
) -> Result<u64, Problem> {
    let mut counted = progress.begin(Step::Compared, source, table).await;
    let mut after: Option<Values> = None;
    let mut told = Vec::new();
    loop {
        let one = Page::read(source, table, after.as_ref());
        let other = Page::read(target, table, after.as_ref());
        let (one, other) = join(one, other).await;
        let (one, other) = (one?, other?);
        told.extend(differences(table, &one, &other));
        let Some(last) = one.0.last().or(other.0.last()).map(|row| key(table, row)) else {
            break;
        };
        counted.add(one.0.len(), &last);
        if told.len() >= TOLD {
            break;
        }
        // As far as both are known; where they do not end at one row there is a difference already.
        match (one.last(table), other.last(table)) {
            (Some(last), Some(_)) => after = Some(last),
            _ => break,
        }
    }
    counted.end();
    if told.is_empty() {
        return Ok(counted.rows());
    }
    told.truncate(TOLD);
    Err(format!(
        "{} is not the same on both sides, so something wrote meanwhile, or since an earlier run:\n  {}\n\
         nothing serves --to as it is: make it anew, empty, and copy again",
        table.name,
        told.join("\n  ")
    ))
}

/// What two pages that begin at one place differ in, as far as both go.
fn differences(table: &Table, source: &Page, target: &Page) -> Vec<String> {
    let (mut ours, mut theirs) = (source.0.iter().peekable(), target.0.iter().peekable());
    let mut told = Vec::new();
    while told.len() < TOLD {
        let order = match (ours.peek(), theirs.peek()) {
            (None, None) => break,
            (Some(one), Some(other)) => order(&key(table, one), &key(table, other)),
            // A full page says nothing of what comes after it.
            (Some(_), None) if target.is_full() => break,
            (None, Some(_)) if source.is_full() => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
        };
        let one = (order != Ordering::Greater).then(|| ours.next()).flatten();
        let other = (order != Ordering::Less).then(|| theirs.next()).flatten();
        let what = match (one, other) {
            (Some(one), Some(other)) if one == other => continue,
            (Some(_), Some(_)) => "it differs",
            (Some(_), None) => "--to does not have it",
            _ => "--from does not have it",
        };
        if let Some(row) = one.or(other) {
            told.push(format!(
                "{} {}: {what}",
                table.name,
                noted(&key(table, row))
            ));
        }
    }
    told
}

/// As both engines order keys: numbers by size, text by bytes.
fn order(one: &Values, other: &Values) -> Ordering {
    let each = one.iter().zip(other).map(|pair| match pair {
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        _ => Ordering::Equal,
    });
    each.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &[(i64, &str)], target: &[(i64, &str)]) -> Vec<String> {
        let table = Table {
            name: "t".to_owned(),
            columns: vec!["id".to_owned(), "text".to_owned()],
            key: vec!["id".to_owned()],
            is_numbered: true,
        };
        let rows = |rows: &[(i64, &str)]| {
            let row = |(id, text): &(i64, &str)| vec![Value::Integer(*id), (*text).into()];
            Page(rows.iter().map(row).collect())
        };
        differences(&table, &rows(source), &rows(target))
    }

    #[test]
    fn a_row_that_differs_is_missing_or_is_too_many_is_told_by_its_key() {
        let rows = [(1, "a"), (2, "b"), (4, "d")];
        assert!(told(&rows, &rows).is_empty());
        assert_eq!(
            told(&rows, &[(1, "a"), (2, "x"), (4, "d")]),
            ["t [2]: it differs"]
        );
        assert_eq!(
            told(&rows, &[(1, "a"), (4, "d")]),
            ["t [2]: --to does not have it"]
        );
        assert_eq!(
            told(&rows, &[(1, "a"), (2, "b"), (3, "c"), (4, "d")]),
            ["t [3]: --from does not have it"]
        );
        assert_eq!(told(&rows, &rows[..2]), ["t [4]: --to does not have it"]);
        assert_eq!(told(&[], &rows[..1]), ["t [1]: --from does not have it"]);
    }
}
