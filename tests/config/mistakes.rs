//! What is wrong is named, with its place and its fix.

use std::path::Path;

use keyfob::config::Config;
use keyfob::config::mistake::Origin;

use super::support::{Files, MASTER_KEY, good, load, mistakes};

#[test]
fn each_mistake_names_its_key_its_value_and_its_fix() {
    for &(toml, key, value, fix) in MISTAKES {
        let mistakes = mistakes(&good(toml));
        let [mistake] = mistakes.as_slice() else {
            panic!("{toml}: {mistakes:#?}");
        };
        assert_eq!(mistake.key, key, "{toml}");
        assert_eq!(mistake.value.as_deref(), Some(value), "{toml}");
        assert!(mistake.fix.contains(fix), "{toml}: {}", mistake.fix);
        let Origin::File { line, .. } = mistake.origin else {
            panic!("{toml}: {:?}", mistake.origin);
        };
        assert_eq!(
            line,
            2 + toml.lines().count().max(1) - usize::from(toml.starts_with("[[")),
            "{toml}"
        );
    }
}

#[test]
fn every_mistake_is_reported_in_one_run() {
    let files =
        Files::new("listen = 1\nmaster_key = \"short\"\n\n[lifetimes]\nsession = \"soon\"\n");

    let mistakes = files
        .load(&[("KEYFOB_WORKERS", "many"), ("KEYFOB_LISTN", "x")])
        .unwrap_err();

    let mut keys: Vec<_> = mistakes.iter().map(|it| it.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "issuer",
            "lifetimes.session",
            "listen",
            "listn",
            "master_key",
            "workers"
        ]
    );
}

#[test]
fn a_report_reads_well() {
    let files = Files::new("issuer = \"http://login.example.com\"\n");

    let error = Config::load(
        Some(&files.directory.path().join("keyfob.toml")),
        [("KEYFOB_LISTN".to_owned(), "127.0.0.1:80".to_owned())],
    )
    .unwrap_err();

    let directory = files.directory.path().display().to_string();
    insta::assert_snapshot!(error.to_string().replace(&directory, "DIR"), @r#"
    the configuration has 3 mistakes:

      issuer = "http://login.example.com" (DIR/keyfob.toml:1)
        is http and not on this machine: passwords and tokens would travel in the clear
        fix: write an https URL; in a closed test network: allow_insecure_issuer = true

      master_key
        is missing
        fix: make one with: openssl rand -base64 32 > master.key; chmod 600 master.key; then write: master_key_file = "master.key"

      listn = "127.0.0.1:80" (KEYFOB_LISTN)
        is not a key that Keyfob knows
        fix: write KEYFOB_LISTEN if that is meant, or remove it
    "#);
}

#[test]
fn an_issuer_on_http_needs_to_be_asked_for() {
    let toml = |issuer: &str, more: &str| {
        format!("issuer = \"{issuer}\"\nmaster_key = \"{MASTER_KEY}\"\n{more}")
    };
    let insecure = "http://login.example.com";
    let refused = mistakes(&toml(insecure, ""));
    assert_eq!(refused[0].key, "issuer");
    assert!(refused[0].fix.contains("allow_insecure_issuer = true"));

    let config = Files::new(&toml(insecure, "allow_insecure_issuer = true"))
        .load(&[])
        .unwrap();
    assert!(config.relaxations()[0].starts_with("allow_insecure_issuer"));

    let config = Files::new(&toml("http://localhost:8484", ""))
        .load(&[])
        .unwrap();
    assert_eq!(config.relaxations(), Vec::<String>::new());

    for issuer in [
        "https://login.example.com/",
        "https://u:p@x.example",
        "login.example.com",
    ] {
        assert_eq!(mistakes(&toml(issuer, ""))[0].key, "issuer", "{issuer}");
    }
}

#[test]
fn an_unknown_variable_of_keyfobs_is_a_mistake() {
    for (name, fix) in [
        ("KEYFOB_ISUER", "KEYFOB_ISSUER"),
        ("KEYFOB_DATABASE_URL", "KEYFOB_DATABASE__URL"),
        ("KEYFOB_issuer", "remove it"),
        ("KEYFOB_COLOUR", "remove it"),
    ] {
        let mistakes = Files::new(&good("")).load(&[(name, "x")]).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{name}: {mistakes:#?}");
        assert_eq!(
            mistakes[0].origin,
            Origin::Environment {
                name: name.to_owned()
            }
        );
        assert!(mistakes[0].fix.contains(fix), "{name}: {}", mistakes[0].fix);
    }
}

#[test]
fn what_is_not_toml_is_named_by_its_line() {
    for (toml, line, key) in [
        ("listen = \n", 3, ""),
        ("workers = 1\nworkers = 2\n", 4, "workers"),
        ("[tls\n", 3, ""),
        ("just words\n", 3, ""),
    ] {
        let mistakes = mistakes(&good(toml));
        let found = mistakes.iter().any(|mistake| {
            mistake.key == key
                && matches!(mistake.origin, Origin::File { line: own, .. } if own == line)
        });
        assert!(found, "{toml}: {mistakes:#?}");
    }
    let nowhere = load(Path::new("/nowhere/keyfob.toml"), &[]).unwrap_err();
    assert_eq!(nowhere.len(), 1);
    assert_eq!(nowhere[0].key, "--config");
}

/// What stands in the file, and the key, the value and a part of the fix that its mistake names.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("listen = 8484", "listen", "8484", "in quotes"),
    (
        "listen = \"localhost\"",
        "listen",
        "\"localhost\"",
        "127.0.0.1:8484",
    ),
    (
        "listen = \"0.0.0.0\"",
        "listen",
        "\"0.0.0.0\"",
        "0.0.0.0:8484",
    ),
    (
        "isuer = \"https://x.example\"",
        "isuer",
        "\"https://x.example\"",
        "issuer",
    ),
    (
        "access_token = \"1h\"",
        "access_token",
        "\"1h\"",
        "lifetimes.access_token",
    ),
    ("colour = 1", "colour", "1", "remove it"),
    (
        "[api.mcp]\nclients = \"all\"",
        "api.mcp.clients",
        "\"all\"",
        "an absolute URI",
    ),
    (
        "[api.\"urn:example:a\"]\nclients = \"some\"",
        "api.urn:example:a.clients",
        "\"some\"",
        "\"listed\"",
    ),
    (
        "[api.\"urn:example:a\"]\ntoken_signing_alg = \"HS256\"",
        "api.urn:example:a.token_signing_alg",
        "\"HS256\"",
        "EdDSA",
    ),
    (
        "[api.\"urn:example:a\".scopes]\nopenid = \"Read\"",
        "api.urn:example:a.scopes.openid",
        "\"Read\"",
        "not a standard scope",
    ),
    (
        "require_pkce = \"yes\"",
        "require_pkce",
        "\"yes\"",
        "true or false",
    ),
    (
        "[client_certificates]\nheader = \"X-Client-Cert\"",
        "client_certificates.header",
        "\"X-Client-Cert\"",
        "set trusted_proxies too",
    ),
    (
        "trusted_proxies = [\"10.0.0.0/33\"]",
        "trusted_proxies",
        "[\"10.0.0.0/33\"]",
        "10.0.0.0/8",
    ),
    (
        "trusted_proxies = \"10.0.0.0/8\"",
        "trusted_proxies",
        "\"10.0.0.0/8\"",
        "[\"10.0.0.0/8\"",
    ),
    (
        "database = \"sqlite:x\"",
        "database",
        "\"sqlite:x\"",
        "[database]",
    ),
    ("workers = 0", "workers", "0", "from 1"),
    ("workers = -1", "workers", "-1", "whole number"),
    (
        "internal_url = \"http://keyfob:8484/\"",
        "internal_url",
        "\"http://keyfob:8484/\"",
        "slash",
    ),
    (
        "[lifetimes]\naccess_token = 3600",
        "lifetimes.access_token",
        "3600",
        "\"1h\"",
    ),
    (
        "[lifetimes]\naccess_token = \"0s\"",
        "lifetimes.access_token",
        "\"0s\"",
        "\"1s\"",
    ),
    (
        "[lifetimes]\naccess_token = \"1y\"",
        "lifetimes.access_token",
        "\"1y\"",
        "\"30d\"",
    ),
    (
        "[lifetimes]\naccess_token = \"99999999999999999d\"",
        "lifetimes.access_token",
        "\"99999999999999999d\"",
        "\"30d\"",
    ),
    (
        "[lifetimes]\nauthorization_code = \"11m\"",
        "lifetimes.authorization_code",
        "\"11m\"",
        "\"10m\"",
    ),
    (
        "[lifetimes]\nrefresh_grace = \"6m\"",
        "lifetimes.refresh_grace",
        "\"6m\"",
        "\"5m\"",
    ),
    (
        "[lifetimes]\nsession_idle = \"8d\"",
        "lifetimes.session_idle",
        "\"8d\"",
        "7d or less",
    ),
    (
        "[lifetime]\nsession = \"8d\"",
        "lifetime.session",
        "\"8d\"",
        "lifetimes.session",
    ),
    (
        "[passwords]\nmemory_kib = 64",
        "passwords.memory_kib",
        "64",
        "7168",
    ),
    (
        "[passwords]\nminimum_length = 4",
        "passwords.minimum_length",
        "4",
        "from 8",
    ),
    (
        "[keys]\nalgorithms = [\"RS256\", \"HS256\"]",
        "keys.algorithms",
        "[\"RS256\", \"HS256\"]",
        "PS256",
    ),
    (
        "[keys]\nalgorithms = [\"ES256\"]",
        "keys.algorithms",
        "[\"ES256\"]",
        "add \"RS256\"",
    ),
    (
        "[api.\"https://api.example.com\"]\ntoken_signing_alg = \"ES384\"",
        "api.https://api.example.com.token_signing_alg",
        "\"ES384\"",
        "add it there",
    ),
    (
        "[keys]\nrotation_interval = \"never\"",
        "keys.rotation_interval",
        "\"never\"",
        "\"off\"",
    ),
    (
        "[keys]\nrotation_interval = \"1m\"",
        "keys.rotation_interval",
        "\"1m\"",
        "\"20m\"",
    ),
    (
        "[brand]\naccent_color = \"blue\"",
        "brand.accent_color",
        "\"blue\"",
        "#2563eb",
    ),
    (
        "[brand]\nlogo = \"/nowhere.png\"",
        "brand.logo",
        "\"/nowhere.png\"",
        "exists",
    ),
    (
        "[tls]\ncertificate = \"/nowhere.pem\"",
        "tls.certificate",
        "\"/nowhere.pem\"",
        "tls.private_key",
    ),
    (
        "[scopes]\nopenid = \"x\"",
        "scopes.openid",
        "\"x\"",
        "remove it",
    ),
    (
        "[scopes]\n\"a b\" = \"x\"",
        "scopes.a b",
        "\"x\"",
        "without spaces",
    ),
    (
        "[logout]\nends = \"everything\"",
        "logout.ends",
        "\"everything\"",
        "\"all\"",
    ),
    (
        "[log]\nformat = \"xml\"",
        "log.format",
        "\"xml\"",
        "\"json\"",
    ),
    (
        "[log]\nlevel = \"verbose\"",
        "log.level",
        "\"verbose\"",
        "\"info\"",
    ),
    ("[shiny]", "shiny", "[shiny]", "remove it"),
    ("[[listen]]\nport = 1", "listen", "[[listen]]", "string"),
];
