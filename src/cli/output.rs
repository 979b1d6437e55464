//! What a command writes: a table or a sentence for people, JSON for scripts.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::oidc::timestamp::Timestamp;

/// Where a command writes, and in which form.
#[derive(Debug)]
pub struct Output<W> {
    to: W,
    json: bool,
}

impl Output<io::Stdout> {
    /// Standard output.
    #[must_use]
    pub fn stdout(json: bool) -> Self {
        Self::new(io::stdout(), json)
    }
}

impl<W: Write> Output<W> {
    /// Writes to `to`, as JSON if `json`.
    pub const fn new(to: W, json: bool) -> Self {
        Self { to, json }
    }

    /// Writes `json` or, for people, `text`.
    ///
    /// # Errors
    ///
    /// What the writer's are.
    pub fn write(&mut self, json: &Value, text: impl FnOnce() -> String) -> io::Result<()> {
        if self.json {
            writeln!(self.to, "{json:#}")?;
        } else {
            writeln!(self.to, "{}", text().trim_end())?;
        }
        self.to.flush()
    }
}

/// Rows below a header, as wide as the terminal.
#[must_use]
pub fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| printable(&cell))));
    table.trim_fmt()
}

/// Names and values, one below the other; those without a value are left out. A value of several
/// lines stays in its column.
#[must_use]
pub fn properties(properties: &[(&str, String)]) -> String {
    let present = || properties.iter().filter(|(_, value)| !value.is_empty());
    let width = present().map(|(name, _)| name.len()).max().unwrap_or(0);
    let indent = format!("\n{:width$}  ", "");
    let lines = present().map(|(name, value)| {
        let value = printable(value).replace('\n', &indent);
        format!("{name:width$}  {value}\n")
    });
    lines.collect()
}

/// The instant as people and scripts read it: 2026-11-22T21:34:07Z.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(at.0)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| at.to_string())
}

/// The text without what a terminal would obey: names come from people.
fn printable(text: &str) -> String {
    let replace = |c: char| {
        if c.is_control() && c != '\n' {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(replace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_not_written() {
        let shown = properties(&[
            ("name", "a\u{1b}[2Jb\u{9b}c".to_owned()),
            ("e-mail", String::new()),
        ]);
        assert_eq!(shown, "name  a\u{fffd}[2Jb\u{fffd}c\n");
        assert!(!table(["name"], vec![["\u{1b}]0;x\u{7}".to_owned()]]).contains('\u{1b}'));
    }

    #[test]
    fn instants_are_written_in_rfc_3339() {
        assert_eq!(instant(Timestamp(0)), "1970-01-01T00:00:00Z");
        assert_eq!(instant(Timestamp(i64::MAX)), i64::MAX.to_string());
    }
}
