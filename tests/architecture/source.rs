//! The source files of the crate, read for what they name.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file.
pub(crate) struct Source {
    /// Its path below the crate's root, with slashes.
    pub(crate) path: String,
    /// Its text as it is.
    pub(crate) text: String,
    /// The text without comments, and with every literal empty.
    pub(crate) code: String,
    /// The contents of its string literals, with the line each begins on.
    pub(crate) strings: Vec<(usize, String)>,
}

impl Source {
    /// Reads a file's text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let mut source = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: String::with_capacity(text.len()),
            strings: Vec::new(),
        };
        source.lex();
        source
    }

    /// The module that it belongs to: the first name below `src/`, `lib` and `main` included.
    pub(crate) fn module(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let first = below.split('/').next().unwrap_or(below);
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How many modules it is below the crate's root.
    fn depth(&self) -> usize {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let is_parent = ["mod.rs", "lib.rs", "main.rs"]
            .iter()
            .any(|name| below.ends_with(name));
        below.split('/').count() - usize::from(is_parent)
    }

    /// The modules at the crate's root that it names, each with its line.
    pub(crate) fn modules_named(&self) -> Vec<(usize, String)> {
        let root = "super::".repeat(self.depth());
        let mut found = Vec::new();
        for start in ["crate::", "keyfob::", &root] {
            if start.is_empty() {
                continue;
            }
            for at in self.occurrences(start) {
                let rest = &self.code[at + start.len()..];
                let names = rest.strip_prefix('{').map_or_else(
                    || vec![first_name(rest)],
                    |list| split_list(list).into_iter().map(first_name).collect(),
                );
                let line = self.line(at);
                found.extend(names.into_iter().map(|name| (line, name)));
            }
        }
        found
    }

    /// The lines that name the crate `name`.
    pub(crate) fn lines_naming(&self, name: &str) -> Vec<usize> {
        self.occurrences(name)
            .into_iter()
            .filter(|at| {
                let (before, after) = (&self.code[..*at], &self.code[at + name.len()..]);
                let is_import = before.ends_with("use ") && !after.starts_with(is_name);
                after.starts_with("::") || is_import
            })
            .map(|at| self.line(at))
            .collect()
    }

    /// The lines of the code, comments and literals aside, in which `text` stands.
    pub(crate) fn lines_with(&self, text: &str) -> Vec<usize> {
        let matches = self.code.match_indices(text);
        matches.map(|(at, _)| self.line(at)).collect()
    }

    /// Where `text` begins a path in the code.
    fn occurrences(&self, text: &str) -> Vec<usize> {
        self.code
            .match_indices(text)
            .map(|(at, _)| at)
            .filter(|at| {
                // A path may begin at the root of all crates: `::name`.
                let before = &self.code[..*at];
                let before = before
                    .strip_suffix("::")
                    .filter(|rest| !rest.ends_with(is_name) && !rest.ends_with('>'))
                    .unwrap_or(before);
                !before.ends_with(|c: char| is_name(c) || c == ':' || c == '.')
            })
            .collect()
    }

    fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// Separates code from comments and literals. Lines stay where they are.
    fn lex(&mut self) {
        let text = self.text.clone();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let length = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else if let Some(length) = string_literal(rest, &self.code) {
                let line = self.code.matches('\n').count() + 1;
                self.strings.push((line, rest[..length].to_owned()));
                self.code.push_str("\"\"");
                length
            } else if let Some(length) = char_literal(rest) {
                self.code.push_str("' '");
                length
            } else {
                self.code.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            };
            let lines = rest[..length].matches('\n').count();
            self.code.push_str(&"\n".repeat(lines));
            rest = &rest[length..];
        }
    }
}

/// The length of the string literal that `rest` starts with.
fn string_literal(rest: &str, before: &str) -> Option<usize> {
    if before.ends_with(is_name) && !before.ends_with(['b', 'c']) {
        return None;
    }
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let content = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return content.find(&end).map(|at| 1 + hashes + 1 + at + end.len());
    }
    let content = rest.strip_prefix('"')?;
    let mut is_escaped = false;
    for (at, c) in content.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// The length of the character literal that `rest` starts with; a lifetime is none.
fn char_literal(rest: &str) -> Option<usize> {
    let content = rest.strip_prefix('\'')?;
    if let Some(escape) = content.strip_prefix('\\') {
        // The first character after the backslash may itself be a quote.
        return escape[1..].find('\'').map(|at| at + 4);
    }
    let first = content.chars().next()?.len_utf8();
    content[first..].starts_with('\'').then_some(first + 2)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn first_name(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|c| is_name(*c))
        .collect()
}

/// The elements of a list in braces, whose opening one is gone.
fn split_list(list: &str) -> Vec<&str> {
    let mut elements = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => {
                elements.push(&list[start..at]);
                start = at + 1;
            }
            '}' => {
                elements.push(&list[start..at]);
                break;
            }
            _ => {}
        }
    }
    elements
}

/// The crate's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below `folder` whose name ends so, in order.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<Source> {
    let mut folders = vec![root().join(folder)];
    let mut paths: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).expect("a file of the crate");
            let below = path.strip_prefix(root()).expect("a path below the root");
            Source::new(&below.to_string_lossy().replace('\\', "/"), &text)
        })
        .collect()
}
