//! Statements that travel to SQLite with the next one.
//!
//! Each question to SQLite costs two switches between threads, which is more than most statements
//! take there. What steers the transaction, and an insert on whose answer nothing depends, can go
//! along with a statement whose answer is waited for.

use std::fmt::{self, Write as _};

use sqlx::any::AnyArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// What goes before the next statement.
#[derive(Default)]
pub(super) struct Pipeline {
    /// What steers the transaction, first of all.
    control: Vec<&'static str>,
    /// What the unit of work wants done, in its order.
    statements: Vec<(SqlStr, AnyArguments)>,
}

/// A statement and all that goes before it.
pub(super) struct Train {
    pub(super) sql: SqlStr,
    pub(super) arguments: AnyArguments,
    /// How many statements go before the last one. Each has an answer.
    pub(super) before: usize,
}

impl Pipeline {
    /// Sends a statement without values ahead, before those of a unit of work.
    pub(super) fn control(&mut self, statement: &'static str) {
        self.control.push(statement);
    }

    /// Sends a statement ahead.
    pub(super) fn push(&mut self, sql: SqlStr, arguments: AnyArguments) {
        self.statements.push((sql, arguments));
    }

    /// Whether what steers the transaction is still here, and so everything after it.
    pub(super) fn has_control(&self) -> bool {
        !self.control.is_empty()
    }

    /// Forgets the statements of a unit of work.
    pub(super) fn forget_statements(&mut self) {
        self.statements.clear();
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The last of those that were sent ahead, behind all others.
    pub(super) fn flush(&mut self) -> Option<Train> {
        let (sql, arguments) = self.statements.pop()?;
        Some(self.couple(sql, arguments))
    }

    /// Puts everything that was sent ahead before a statement.
    pub(super) fn couple(&mut self, sql: SqlStr, mut arguments: AnyArguments) -> Train {
        let before = self.control.len() + self.statements.len();
        if before == 0 {
            return Train {
                sql,
                arguments,
                before,
            };
        }
        let mut all = String::new();
        for statement in self.control.drain(..) {
            all.push_str(statement);
            all.push_str("; ");
        }
        let mut values = Vec::new();
        for (sql, mut own) in self.statements.drain(..) {
            append(&mut all, sql.as_str(), values.len());
            all.push_str("; ");
            values.append(&mut own.values.0);
        }
        append(&mut all, sql.as_str(), values.len());
        values.append(&mut arguments.values.0);
        arguments.values.0 = values;
        Train {
            // Made of statements that are literal each.
            sql: AssertSqlSafe(all).into_sql_str(),
            arguments,
            before,
        }
    }
}

impl fmt::Debug for Pipeline {
    /// Without the values, which are nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statements = self.statements.iter().map(|(sql, _)| sql.as_str());
        f.debug_list()
            .entries(&self.control)
            .entries(statements)
            .finish()
    }
}

/// Appends a statement whose `$1` is the value after the first `offset` ones.
fn append(all: &mut String, statement: &str, offset: usize) {
    let mut parts = statement.split('$');
    all.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let number: usize = number.parse().unwrap_or_default();
        // Writing to a string does not fail.
        let _ = write!(all, "${}{rest}", number + offset);
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Arguments as _;

    use super::*;

    fn arguments(values: &[i64]) -> AnyArguments {
        let mut arguments = AnyArguments::default();
        for value in values {
            arguments.add(value).unwrap();
        }
        arguments
    }

    #[test]
    fn what_was_sent_ahead_goes_before_with_its_own_values() {
        let mut pipeline = Pipeline::default();
        pipeline.control("BEGIN");
        pipeline.push(
            "INSERT a VALUES ($1, $2)".into_sql_str(),
            arguments(&[1, 2]),
        );
        pipeline.control("SAVEPOINT x");
        let train = pipeline.couple(
            "UPDATE b SET c = $2 WHERE d = $1 AND e = $1".into_sql_str(),
            arguments(&[3, 4]),
        );
        assert_eq!(
            train.sql.as_str(),
            "BEGIN; SAVEPOINT x; INSERT a VALUES ($1, $2); \
             UPDATE b SET c = $4 WHERE d = $3 AND e = $3"
        );
        let values = train.arguments.values.0;
        let values: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
        assert_eq!(values, ["BigInt(1)", "BigInt(2)", "BigInt(3)", "BigInt(4)"]);
        assert_eq!(train.before, 3);
        assert!(!pipeline.has_control() && pipeline.flush().is_none());
    }

    #[test]
    fn a_statement_alone_stays_as_it_is() {
        let train = Pipeline::default().couple("SELECT $1".into_sql_str(), arguments(&[1]));
        assert_eq!((train.sql.as_str(), train.before), ("SELECT $1", 0));
    }

    #[test]
    fn the_last_of_those_sent_ahead_carries_the_others() {
        let mut pipeline = Pipeline::default();
        pipeline.control("BEGIN");
        assert!(pipeline.flush().is_none(), "that is nobody's statement");
        pipeline.push("INSERT a VALUES ($1)".into_sql_str(), arguments(&[1]));
        pipeline.push("INSERT b VALUES ($1)".into_sql_str(), arguments(&[2]));
        let train = pipeline.flush().unwrap();
        let sql = "BEGIN; INSERT a VALUES ($1); INSERT b VALUES ($2)";
        assert_eq!((train.sql.as_str(), train.before), (sql, 2));
    }
}
