//! Rules about the migrations: one folder for both databases, whose statements mean the same to
//! each, and which only ever add.

use crate::source::Source;

/// Statements and columns that one of the databases would read otherwise.
pub(crate) fn unportable(migrations: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for migration in migrations {
        let lines = migration.text.lines();
        let code: String = lines
            .map(|line| line.split_once("--").map_or(line, |(code, _)| code))
            .flat_map(|line| [line, "\n"])
            .collect();
        for statement in code.split(';').map(str::trim) {
            let found = fault(statement);
            complaints.extend(found.map(|fault| format!("{}: {fault}", migration.path)));
        }
    }
    complaints
}

/// What is wrong with a statement.
fn fault(statement: &str) -> Option<String> {
    const NEVER: &[&str] = &[
        "DEFAULT",
        "BOOLEAN",
        "CURRENT_TIMESTAMP",
        "NOW()",
        "TRIGGER",
        "AUTOINCREMENT",
        "SERIAL",
        "DROP",
    ];
    let upper = statement.to_ascii_uppercase();
    if let Some(word) = upper
        .split(|c: char| !c.is_ascii_alphanumeric() && !"_()".contains(c))
        .find(|word| NEVER.contains(word))
    {
        return Some(format!("{word} in: {statement}"));
    }
    if upper.is_empty()
        || upper.starts_with("CREATE INDEX ")
        || upper.starts_with("CREATE UNIQUE INDEX ")
        // A row that the schema cannot do without, such as a counter's first value.
        || upper.starts_with("INSERT INTO ")
    {
        return None;
    }
    if let Some((_, column)) = upper
        .strip_prefix("ALTER TABLE ")
        .and_then(|rest| rest.split_once(" ADD COLUMN "))
    {
        return column_fault(column);
    }
    if upper.starts_with("CREATE TABLE ") {
        let (_, body) = upper.split_once('(')?;
        let body = body.rsplit_once(')').map_or(body, |(body, _)| body);
        return body
            .lines()
            .map(|line| line.trim().trim_end_matches(','))
            .filter(|line| !line.is_empty())
            .find_map(column_fault);
    }
    Some(format!(
        "only tables, columns, indexes and rows are added: {statement}"
    ))
}

/// What is wrong with a column, which stands on a line of its own.
fn column_fault(column: &str) -> Option<String> {
    let mut words = column.split_whitespace();
    let (name, kind) = (words.next().unwrap_or_default(), words.next());
    let is_portable = matches!(kind, Some("TEXT" | "BIGINT"));
    let is_instant = name.ends_with("_AT");
    if !is_portable {
        return Some(format!("neither TEXT nor BIGINT: {column}"));
    }
    (is_instant && kind != Some("BIGINT")).then(|| format!("an instant is BIGINT: {column}"))
}

/// The rule notices its breach.
#[cfg(test)]
mod breaches {
    use super::*;

    #[test]
    fn of_portability() {
        for statement in [
            "CREATE TABLE a (\n id TEXT,\n flag BOOLEAN\n);",
            "CREATE TABLE a (\n id INTEGER PRIMARY KEY\n);",
            "CREATE TABLE a (\n made_at BIGINT DEFAULT 0\n);",
            "CREATE TABLE a (\n made_at TEXT\n);",
            "ALTER TABLE a DROP COLUMN b;",
            "ALTER TABLE a ADD COLUMN b JSONB;",
            "PRAGMA foreign_keys = ON;",
            "UPDATE a SET b = 1;",
        ] {
            let found = unportable(&[Source::new("migrations/1.sql", statement)]);
            assert_eq!(found.len(), 1, "{statement} {found:?}");
        }
        let good = "-- DROP it\nCREATE TABLE a (\n id TEXT NOT NULL,\n at BIGINT -- x\n);\n\
                    CREATE INDEX i ON a (id);\nALTER TABLE a ADD COLUMN c TEXT;";
        let found = unportable(&[Source::new("migrations/1.sql", good)]);
        assert!(found.is_empty(), "{found:?}");
    }
}
