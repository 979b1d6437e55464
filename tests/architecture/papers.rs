//! Rules about the papers: what they name exists.

use std::fs;

use crate::source::{files, root};

/// The papers whose paths are checked.
const PAPERS: &[&str] = &[
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs/specifications.md",
];

/// Paths that the papers name and that do not exist.
pub(crate) fn dangling() -> Vec<String> {
    let mut complaints = Vec::new();
    for paper in PAPERS {
        let Ok(text) = fs::read_to_string(root().join(paper)) else {
            continue;
        };
        for path in paths(&text) {
            if !root().join(&path).exists() && !root().join("src").join(&path).exists() {
                complaints.push(format!("{paper}: there is no {path}"));
            }
        }
    }
    complaints
}

/// Rows of `docs/specifications.md` (section | code | test) without a test, or with one that does
/// not exist.
pub(crate) fn untested_rows() -> Vec<String> {
    let Ok(text) = fs::read_to_string(root().join("docs/specifications.md")) else {
        return Vec::new();
    };
    let mut sources = files("src", ".rs");
    sources.extend(files("tests", ".rs"));
    rows_without_test(&text, |name| {
        let definition = format!("fn {name}(");
        sources
            .iter()
            .any(|source| source.code.contains(&definition))
    })
}

fn rows_without_test(text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for row in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let is_rule = cells
            .iter()
            .all(|cell| cell.trim_matches([':', '-']).is_empty());
        let is_head = cells
            .last()
            .is_some_and(|cell| cell.eq_ignore_ascii_case("test"));
        if is_rule || is_head {
            continue;
        }
        let names: Vec<_> = code_spans(cells.last().copied().unwrap_or_default())
            .into_iter()
            .map(|span| span.rsplit("::").next().unwrap_or_default().to_owned())
            .collect();
        if names.is_empty() {
            complaints.push(format!("docs/specifications.md: no test in: {row}"));
        }
        let missing = names.iter().filter(|name| !exists(name));
        complaints.extend(missing.map(|name| format!("docs/specifications.md: no test {name}")));
    }
    complaints
}

/// The code spans of a text that are paths of files or folders.
fn paths(text: &str) -> Vec<String> {
    code_spans(text)
        .into_iter()
        .filter(|span| {
            let is_plain = span
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            let is_file = [".rs", ".sql", ".md", ".toml", ".html", ".css", ".js"]
                .iter()
                .any(|ending| span.ends_with(ending));
            let is_folder = span.ends_with('/') && !span.starts_with('/');
            is_plain && (is_file || is_folder) && !span.starts_with('.')
        })
        .collect()
}

fn code_spans(text: &str) -> Vec<String> {
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(ToOwned::to_owned)
        .collect()
}

/// Every rule notices its breach.
#[cfg(test)]
mod breaches {
    use super::*;

    #[test]
    fn of_the_papers() {
        let text = "`src/oidc/scope.rs` and `tests/`, `Provider::token`, `/oauth2/token`, `a.rs`";
        assert_eq!(paths(text), ["src/oidc/scope.rs", "tests/", "a.rs"]);

        let table = "| Section | Code | Test |\n|---|---|---|\n| 1 | `a.rs` | `it_holds` |\n\
                     | 2 | `b.rs` | `it_is_gone` |\n| 3 | `c.rs` | |";
        let found = rows_without_test(table, |name| name == "it_holds");
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
