//! Rules about the source files.

use std::fs;

use crate::source::{Source, root};

/// The modules at the crate's root and what each may name of the others, lowest first.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("oidc", &[]),
    ("keys", &["oidc"]),
    ("store", &["oidc"]),
    ("config", &["oidc"]),
    ("logging", &["config"]),
    ("provider", &["oidc", "keys", "store"]),
    ("http", &["oidc", "provider"]),
    ("dev", EVERYTHING),
    ("testing", EVERYTHING),
    ("cli", EVERYTHING),
    ("server", EVERYTHING),
    ("lib", EVERYTHING),
    ("main", EVERYTHING),
];

const EVERYTHING: &[&str] = &[
    "oidc", "keys", "store", "config", "logging", "provider", "http", "dev", "testing", "cli",
    "server",
];

/// Each dependency, and the modules that alone may name it. Empty: whoever likes.
const OWNERS: &[(&str, &[&str])] = &[
    ("actix_tls", &["server"]),
    ("actix_web", &["http", "server", "dev"]),
    ("anyhow", &["main", "cli", "server"]),
    ("argon2", &["provider"]),
    ("askama", &["http", "dev"]),
    ("aws_lc_rs", &["keys"]),
    ("base64", &[]),
    ("clap", &["main", "cli"]),
    ("comfy_table", &["cli"]),
    ("futures_util", &[]),
    ("getrandom", &["provider"]),
    ("ipnet", &[]),
    ("jsonwebtoken", &["keys"]),
    ("libsqlite3_sys", &["store"]),
    ("openidconnect", &["provider", "dev", "testing"]),
    ("percent_encoding", &[]),
    ("precis_core", &["oidc"]),
    ("precis_profiles", &["oidc"]),
    ("qrcode", &["http"]),
    ("reqwest", &["provider", "dev", "testing", "cli"]),
    ("rpassword", &["cli"]),
    ("rsa", &["keys"]),
    ("rust_embed", &["http"]),
    ("rustls", &["server", "config", "keys"]),
    ("serde", &[]),
    ("serde_json", &[]),
    ("sha2", &[]),
    ("sqlx", &["store"]),
    ("subtle", &[]),
    ("thiserror", &[]),
    ("time", &[]),
    ("tokio", &[]),
    ("toml", &["config"]),
    ("tracing", &[]),
    ("tracing_subscriber", &["logging"]),
    ("url", &[]),
    ("uuid", &[]),
    ("x509_parser", &["keys"]),
    ("zeroize", &[]),
    ("zxcvbn", &["provider"]),
];

/// Files that may be longer than [`CEILING`], each with the reason.
const LONG: &[(&str, &str)] = &[(
    "src/oidc/client.rs",
    "client metadata is one long list, with a type for each of its members",
)];

/// The most lines that a file may have.
const CEILING: usize = 450;

/// Statics that two providers in one process may share, by file and name, each with the reason.
const STATICS: &[(&str, &str, &str)] = &[
    (
        "src/http/assets.rs",
        "ASSETS",
        "computed from what the program embeds and never changed: a constant, but for the compiler",
    ),
    (
        "src/keys/crypto_provider.rs",
        "KEYS",
        "jsonwebtoken's provider is one of the process and has no place for a key; addressed by \
         what is in a key, an entry is the same for whoever finds it, and lives as long as the key",
    ),
    (
        "src/keys/crypto_provider.rs",
        "PROVIDER",
        "a table of functions, never changed",
    ),
];

/// Modules that name what is above or beside them.
pub(crate) fn upward_names(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let own = source.module();
        let Some((_, allowed)) = MAY_NAME.iter().find(|(module, _)| *module == own) else {
            complaints.push(format!("{}: {own} is not on the map", source.path));
            continue;
        };
        for (line, name) in source.modules_named() {
            let is_module = MAY_NAME.iter().any(|(module, _)| *module == name);
            if is_module && name != own && !allowed.contains(&name.as_str()) {
                let path = &source.path;
                complaints.push(format!("{path}:{line}: {own} may not name {name}"));
            }
        }
    }
    complaints
}

/// Uses of a dependency by a module that does not own it.
pub(crate) fn foreign_dependencies(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let own = source.module();
        for (dependency, owners) in OWNERS {
            if owners.is_empty() || owners.contains(&own) {
                continue;
            }
            for line in source.lines_naming(dependency) {
                let (path, owners) = (&source.path, owners.join(", "));
                complaints.push(format!(
                    "{path}:{line}: {dependency} belongs to {owners} alone"
                ));
            }
        }
    }
    complaints
}

/// Dependencies of Cargo.toml that [`OWNERS`] does not have.
pub(crate) fn unowned_dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let manifest: toml::Table = manifest.parse().expect("a manifest");
    let dependencies = manifest["dependencies"].as_table().expect("dependencies");
    dependencies
        .keys()
        .map(|name| name.replace('-', "_"))
        .filter(|name| !OWNERS.iter().any(|(owned, _)| owned == name))
        .map(|name| format!("Cargo.toml: say in OWNERS who may name {name}"))
        .collect()
}

/// IO, clocks and tasks in the vocabulary.
pub(crate) fn impurities(sources: &[Source]) -> Vec<String> {
    const IMPURE: &[&str] = &[
        "std::fs",
        "std::io",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant",
        "tokio",
        "tracing",
        "async fn",
        "getrandom",
    ];
    complain(sources, IMPURE, "is IO or a clock, and oidc has neither")
}

/// State that two providers in one process would share.
pub(crate) fn globals(sources: &[Source]) -> Vec<String> {
    const GLOBAL: &[&str] = &[
        "static mut ",
        "thread_local!",
        ": OnceLock<",
        ": OnceCell<",
        ": LazyLock<",
        ": Mutex<",
        ": RwLock<",
        ": Atomic",
    ];
    let mut complaints = Vec::new();
    for source in sources {
        for (number, line) in source.code.lines().enumerate() {
            let name = line.trim_start().trim_start_matches("pub ");
            let name = name.strip_prefix("static ").map(|rest| {
                let end = rest.find(':').unwrap_or(rest.len());
                &rest[..end]
            });
            let is_static = name.is_some() || line.contains("thread_local!");
            let is_known = STATICS
                .iter()
                .any(|(path, known, _)| *path == source.path && name == Some(known));
            if is_static && !is_known && GLOBAL.iter().any(|one| line.contains(one)) {
                let (path, line_number) = (&source.path, number + 1);
                complaints.push(format!("{path}:{line_number}: global state: {line}"));
            }
        }
    }
    complaints
}

/// HTML in the text of a program.
pub(crate) fn markup(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        // What a test expects of a page is no page.
        let end = source.text.find("#[cfg(test)]");
        let tests_begin = end.map_or(usize::MAX, |at| source.text[..at].lines().count());
        for (line, text) in &source.strings {
            let is_markup = text.contains("</") || text.to_ascii_lowercase().contains("<!doctype");
            if is_markup && *line <= tests_begin && !source.path.ends_with("_tests.rs") {
                let path = &source.path;
                complaints.push(format!("{path}:{line}: HTML belongs into templates/"));
            }
        }
    }
    complaints
}

/// Reads of the environment outside the configuration.
pub(crate) fn environment(sources: &[Source]) -> Vec<String> {
    let others = sources.iter().filter(|source| source.module() != "config");
    let mut complaints = Vec::new();
    for source in others {
        for text in ["std::env", "env::var"] {
            for line in source.lines_with(text) {
                let path = &source.path;
                complaints.push(format!("{path}:{line}: {text} belongs to config alone"));
            }
        }
    }
    complaints
}

/// Files longer than a reader's patience.
pub(crate) fn long_files(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| !LONG.iter().any(|(path, _)| *path == source.path))
        .map(|source| (&source.path, source.text.lines().count()))
        .filter(|(_, lines)| *lines > CEILING)
        .map(|(path, lines)| format!("{path}: {lines} lines, more than {CEILING}"))
        .collect()
}

/// Files that do not open with `//!`.
pub(crate) fn untitled_files(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| format!("{}: opens without saying what it is (//!)", source.path))
        .collect()
}

/// Notes of what is not done, tests that do not run, names that say nothing.
pub(crate) fn leftovers(sources: &[Source]) -> Vec<String> {
    let mut complaints = complain(
        sources,
        &["#[ignore", "todo!(", "unimplemented!(", "mod util"],
        "has no place here",
    );
    // Put together, so that this file has none itself.
    let notes = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|halves| halves.concat());
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            let comment = line.split_once("//").map_or("", |(_, comment)| comment);
            if notes.iter().any(|note| comment.contains(note)) {
                let (path, line_number) = (&source.path, number + 1);
                complaints.push(format!("{path}:{line_number}: a note of what is not done"));
            }
        }
    }
    complaints
}

/// Queries that are put together at run time.
pub(crate) fn built_queries(sources: &[Source]) -> Vec<String> {
    // `QueryBuilder<Any>` writes `?`, which PostgreSQL does not know.
    let mut complaints = complain(
        sources,
        &["QueryBuilder", "AssertSqlSafe"],
        "builds a query at run time",
    );
    // Puts literal queries behind each other, and is given nothing else.
    complaints.retain(|complaint| !complaint.starts_with("src/store/pipeline.rs"));
    complaints
}

/// Public functions of the store that the suite on both databases does not call.
pub(crate) fn untested_queries(store: &[Source], suite: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in store {
        let table = source.path.rsplit('/').next().unwrap_or_default();
        let table = table.trim_end_matches(".rs");
        for line in source.code.lines() {
            let Some((_, rest)) = line.split_once("pub async fn ") else {
                continue;
            };
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            let is_of_store = line.starts_with(' ');
            let call = match (is_of_store, rest.contains("self")) {
                (false, _) => format!("{table}::{name}("),
                (true, true) => format!(".{name}("),
                // What makes a store is what the suite makes its stores with.
                (true, false) => format!("Store::{name}("),
            };
            if !suite.iter().any(|test| test.code.contains(&call)) {
                let path = &source.path;
                complaints.push(format!("{path}: {name} is not in the conformance suite"));
            }
        }
    }
    complaints
}

fn complain(sources: &[Source], texts: &[&str], why: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for text in texts {
            for line in source.lines_with(text) {
                complaints.push(format!("{}:{line}: {text} {why}", source.path));
            }
        }
    }
    complaints
}

/// Every rule notices its breach.
#[cfg(test)]
mod breaches {
    use super::*;

    fn source(path: &str, text: &str) -> [Source; 1] {
        [Source::new(path, text)]
    }

    #[test]
    fn of_the_direction() {
        for (path, text) in [
            ("src/http/token.rs", "use crate::store::clients;"),
            ("src/http/token.rs", "use crate::{oidc::scope, keys};"),
            (
                "src/http/token.rs",
                "let store = super::super::store::Store;",
            ),
            ("src/oidc/mod.rs", "fn f(p: &crate::provider::Provider) {}"),
            ("src/provider/client/token/mod.rs", "use crate::http;"),
            ("src/keys/mod.rs", "pub(in crate::dev) fn f() {}"),
            ("src/helpers.rs", ""),
        ] {
            assert_eq!(upward_names(&source(path, text)).len(), 1, "{path} {text}");
        }
        for (path, text) in [
            ("src/http/token.rs", "use crate::provider::Provider;"),
            (
                "src/http/token.rs",
                "// unlike crate::store, \"crate::store\"",
            ),
            ("src/http/token.rs", "let text = \"crate::store\";"),
            ("src/http/token.rs", "use super::store;"),
            ("src/main.rs", "use keyfob::store;"),
        ] {
            assert_none_in(&upward_names(&source(path, text)), path, text);
        }
    }

    #[test]
    fn of_ownership() {
        for (path, text) in [
            ("src/http/token.rs", "fn f(pool: sqlx::AnyPool) {}"),
            ("src/provider/mod.rs", "use sqlx;"),
            ("src/oidc/user.rs", "#[derive(sqlx::FromRow)]\nstruct User;"),
            ("src/provider/mod.rs", "use jsonwebtoken::{encode};"),
            ("src/keys/mod.rs", "use ::reqwest::Client;"),
        ] {
            let found = foreign_dependencies(&source(path, text));
            assert_eq!(found.len(), 1, "{path} {text}");
        }
        let own = source(
            "src/store/mod.rs",
            "use sqlx::Any; let x = crate::rsa::f();",
        );
        assert_none_in(&foreign_dependencies(&own), "store", "sqlx");
    }

    #[test]
    fn of_the_others() {
        let one = source;
        let file = "src/provider/mod.rs";
        assert_eq!(impurities(&one("src/oidc/a.rs", "use std::fs;")).len(), 1);
        assert_eq!(globals(&one(file, "static A: OnceLock<u8> = x;")).len(), 1);
        assert_eq!(globals(&one(file, "static A: &str = x;")).len(), 0);
        let assets = "src/http/assets.rs";
        for (text, complaints) in [
            ("static ASSETS: LazyLock<u8> = x;", 0),
            ("static HITS: AtomicU64 = x;", 1),
        ] {
            assert_eq!(globals(&one(assets, text)).len(), complaints, "{text}");
        }
        assert_eq!(markup(&one(file, "let a = \"<p>hi</p>\";")).len(), 1);
        assert_eq!(environment(&one(file, "std::env::args()")).len(), 1);
        assert_eq!(long_files(&one(file, &"\n".repeat(CEILING + 1))).len(), 1);
        assert_eq!(untitled_files(&one(file, "use std::fmt;")).len(), 1);
        assert_eq!(leftovers(&one(file, "#[ignore]\nfn f() {}")).len(), 1);
        assert_eq!(
            leftovers(&one(file, concat!("// TO", "DO: later"))).len(),
            1
        );
        assert_eq!(built_queries(&one(file, "QueryBuilder::new()")).len(), 1);
        let store = one("src/store/users.rs", "pub async fn find(db: &mut Db) {}");
        assert_eq!(untested_queries(&store, &[]).len(), 1);
        let suite = one("tests/store/main.rs", "users::find(&mut db)");
        assert_eq!(untested_queries(&store, &suite).len(), 0);
        for (function, call) in [
            ("    pub async fn open(url: &str) {}", "Store::open(url)"),
            ("    pub async fn ping(&self) {}", "store.ping()"),
        ] {
            let store = one("src/store/mod.rs", function);
            assert_eq!(untested_queries(&store, &suite).len(), 1, "{function}");
            let suite = one("tests/store/main.rs", call);
            assert_eq!(untested_queries(&store, &suite).len(), 0, "{function}");
        }
    }

    #[track_caller]
    fn assert_none_in(complaints: &[String], path: &str, text: &str) {
        assert!(complaints.is_empty(), "{path} {text}: {complaints:?}");
    }
}
