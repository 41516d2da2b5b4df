//! The product's SQL as PostgreSQL reads it: `$1` for `?1`, and one statement for each group that `changes()` ties
//! together. `platform::Database` says what that SQL is.

use std::fmt::Write as _;

use crate::platform::{Statement, Value};

/// What stands for the number of rows the statement before changed.
const CHANGES: &str = "changes()";

/// One statement of PostgreSQL's, and what it is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub sql: String,
    pub params: Vec<Value>,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Gives rows.
    Read,
    /// Changes rows.
    Write,
    /// So many statements in one; it gives one row with what each changed.
    Writes(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DialectError {
    #[error("changes() in the first statement of a batch")]
    ChangesOfNothing,
    #[error("changes() of a statement that only reads")]
    ChangesOfRead,
}

/// The batch as PostgreSQL runs it, in its order.
pub(super) fn groups(statements: Vec<Statement>) -> Result<Vec<Group>, DialectError> {
    let mut groups: Vec<Vec<Statement>> = Vec::new();
    for statement in statements {
        if !statement.sql.contains(CHANGES) {
            groups.push(vec![statement]);
            continue;
        }
        let group = groups.last_mut().ok_or(DialectError::ChangesOfNothing)?;
        if group.iter().any(reads) || reads(&statement) {
            return Err(DialectError::ChangesOfRead);
        }
        group.push(statement);
    }
    Ok(groups.into_iter().map(group).collect())
}

/// Whether a statement only reads: one that writes begins with the word that says how.
fn reads(statement: &Statement) -> bool {
    statement.sql.trim_start().starts_with("SELECT")
}

fn group(statements: Vec<Statement>) -> Group {
    let count = statements.len();
    let kind = match &*statements {
        [single] if reads(single) => Kind::Read,
        [_] => Kind::Write,
        _ => Kind::Writes(count),
    };
    let (mut sql, mut params) = (String::new(), Vec::new());
    for (place, statement) in statements.into_iter().enumerate() {
        if count > 1 {
            let separator = if place == 0 { "WITH" } else { "," };
            // Writing to a `String` does not fail.
            let _ = write!(sql, "{separator} s{place} AS (");
        }
        translate(&statement.sql, params.len(), place, &mut sql);
        if count > 1 {
            sql.push_str(" RETURNING 1)");
        }
        params.extend(statement.params);
    }
    if count > 1 {
        for place in 0..count {
            let separator = if place == 0 { " SELECT" } else { "," };
            let _ = write!(sql, "{separator} (SELECT count(*) FROM s{place})");
        }
    }
    Group { sql, params, kind }
}

/// Adds `sql` to `out`, its parameters counted from `offset` on. A question mark in quotes stays.
fn translate(sql: &str, offset: usize, place: usize, out: &mut String) {
    let before = format!("(SELECT count(*) FROM s{})", place.saturating_sub(1));
    let sql = sql.replace(CHANGES, &before);
    let mut rest = &*sql;
    let mut quoted = false;
    while let Some(next) = rest.chars().next() {
        let (_, after) = rest.split_at(next.len_utf8());
        if let (false, Some((number, after))) = (quoted || next != '?', number(after)) {
            let _ = write!(out, "${}", offset + number);
            rest = after;
            continue;
        }
        quoted ^= next == '\'';
        out.push(next);
        rest = after;
    }
}

/// The number a text begins with, and what follows it.
fn number(text: &str) -> Option<(usize, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(batch: &[(&'static str, &[&str])]) -> Vec<Group> {
        groups(statements(batch)).unwrap()
    }

    fn statements(batch: &[(&'static str, &[&str])]) -> Vec<Statement> {
        let statement = |(sql, params): &(&'static str, &[&str])| {
            Statement::new(
                *sql,
                params.iter().map(|&text| text.into()).collect::<Vec<_>>(),
            )
        };
        batch.iter().map(statement).collect()
    }

    const SWAP: (&str, &[&str]) = ("UPDATE t SET a = ?1 WHERE b = ?2", &["a", "b"]);
    const NOTE: (&str, &[&str]) = ("INSERT INTO n SELECT ?1 WHERE changes() = 1", &["n"]);

    #[test]
    fn a_statement_alone_has_its_parameters_renamed_and_nothing_else() {
        let text = "SELECT '?1 ''?2', ?2 FROM t WHERE a = ?12 OR b = ?1";
        let groups = translated(&[(text, &["x"]), SWAP]);
        let expected = "SELECT '?1 ''?2', $2 FROM t WHERE a = $12 OR b = $1";
        assert_eq!(groups[0].sql, expected);
        assert_eq!((groups[0].kind, groups[0].params.len()), (Kind::Read, 1));
        assert_eq!(groups[1].sql, "UPDATE t SET a = $1 WHERE b = $2");
        assert_eq!(groups[1].kind, Kind::Write);
    }

    #[test]
    fn what_changes_ties_together_is_one_statement() {
        let groups = translated(&[SWAP, NOTE, NOTE, SWAP]);
        let [swap, alone] = &*groups else {
            panic!("{groups:?}")
        };
        assert_eq!(
            swap.sql,
            "WITH s0 AS (UPDATE t SET a = $1 WHERE b = $2 RETURNING 1), \
             s1 AS (INSERT INTO n SELECT $3 WHERE (SELECT count(*) FROM s0) = 1 RETURNING 1), \
             s2 AS (INSERT INTO n SELECT $4 WHERE (SELECT count(*) FROM s1) = 1 RETURNING 1) \
             SELECT (SELECT count(*) FROM s0), (SELECT count(*) FROM s1), (SELECT count(*) FROM s2)"
        );
        let params = ["a", "b", "n", "n"].map(Value::from);
        assert_eq!((&*swap.params, swap.kind), (&params[..], Kind::Writes(3)));
        assert_eq!(alone.kind, Kind::Write);
    }

    #[test]
    fn changes_of_nothing_and_of_a_read_are_refused() {
        let read: (&str, &[&str]) = ("SELECT 1", &[]);
        assert_eq!(
            groups(statements(&[NOTE])),
            Err(DialectError::ChangesOfNothing)
        );
        assert_eq!(
            groups(statements(&[read, NOTE])),
            Err(DialectError::ChangesOfRead)
        );
    }
}
