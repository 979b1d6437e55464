//! The configuration: every mistake is named with its value and its fix, and nothing secret shown.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test are not tests to clippy"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use keyfob::config::Config;
use keyfob::config::log::LogFormat;
use keyfob::config::mistake::{Mistake, Origin};
use tempfile::TempDir;

/// 32 bytes that no other test knows.
const MASTER_KEY: &str = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJCQgHBgUEAwI=";

/// A directory of its own with a `keyfob.toml` of mode 0600 in it.
struct Files {
    directory: TempDir,
}

impl Files {
    fn new(toml: &str) -> Self {
        let files = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        files.write("keyfob.toml", toml, 0o600);
        files
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn load(&self, environment: &[(&str, &str)]) -> Result<Config, Vec<Mistake>> {
        load(&self.directory.path().join("keyfob.toml"), environment)
    }
}

fn load(path: &Path, environment: &[(&str, &str)]) -> Result<Config, Vec<Mistake>> {
    let variables = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(path), variables).map_err(|error| error.mistakes)
}

/// What loads without a mistake, with `more` after it.
fn good(more: &str) -> String {
    format!("issuer = \"https://login.example.com\"\nmaster_key = \"{MASTER_KEY}\"\n{more}\n")
}

fn mistakes(toml: &str) -> Vec<Mistake> {
    Files::new(toml).load(&[]).unwrap_err()
}

#[test]
fn the_least_configuration_is_an_issuer_and_a_master_key() {
    let config = Files::new(&good("")).load(&[]).unwrap();

    assert_eq!(config.issuer.as_str(), "https://login.example.com");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8484");
    assert_eq!(config.database.url.expose(), "sqlite:keyfob.db");
    assert_eq!(
        config.policy.lifetimes.access_token,
        Duration::from_hours(1)
    );
    assert_eq!(config.log.format, LogFormat::Auto);
    assert_eq!(config.brand.name, "Keyfob");
    assert_eq!(config.relaxations(), Vec::<String>::new());
}

#[test]
fn every_setting_is_read() {
    let files = Files::new("");
    let logo = files.write(
        "logo.svg",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        0o644,
    );
    let toml = good(&EVERY_SETTING.replace("LOGO", &logo.display().to_string()));

    let config = Files::new(&toml).load(&[]).unwrap();

    assert_eq!(config.listen.to_string(), "[::1]:9000");
    assert_eq!(config.internal_url.unwrap().as_str(), "http://keyfob:8484");
    let proxies: Vec<_> = config
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(proxies, ["10.0.0.0/8", "127.0.0.1/32"]);
    assert_eq!(config.workers, Some(4));
    assert_eq!(config.shutdown_timeout, Duration::from_secs(5));
    assert_eq!(config.database.max_connections, 20);
    assert_eq!(config.brand.logo.unwrap().media_type, "image/svg+xml");
    assert_eq!(config.brand.accent_color.unwrap().as_str(), "#2563eb");
    let policy = config.policy;
    assert!(policy.require_pkce);
    assert_eq!(policy.lifetimes.refresh_grace, Duration::ZERO);
    assert_eq!(
        policy.lifetimes.client_secret_overlap,
        Duration::from_hours(48)
    );
    assert_eq!(policy.passwords.memory_kib, 65536);
    assert_eq!(policy.passwords.concurrency, Some(2));
    assert_eq!(policy.throttle.known_browser_failures, 20);
    assert_eq!(
        policy.key_rotation.interval,
        Some(Duration::from_hours(720))
    );
    assert_eq!(policy.key_rotation.cache, Duration::from_mins(10));
    assert_eq!(policy.scopes["mail:read"], "Read your mail");
    assert_eq!(config.log.format, LogFormat::Json);
}

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
fn the_environment_wins_over_the_file_and_says_so() {
    let files = Files::new(&good(
        "listen = \"127.0.0.1:1\"\n[lifetimes]\nsession = \"1d\"",
    ));

    let config = files
        .load(&[
            ("KEYFOB_LISTEN", "127.0.0.1:2"),
            ("KEYFOB_LIFETIMES__ACCESS_TOKEN", "15m"),
            ("KEYFOB_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            ("KEYFOB_REQUIRE_PKCE", "true"),
            ("KEYFOB_WORKERS", "3"),
            ("KEYFOB_SCOPES__CALENDAR", "Read your calendar"),
            ("KEYFOB_TEST_POSTGRES_URL", "is the test suite's"),
            ("PATH", "/usr/bin"),
        ])
        .unwrap();

    assert_eq!(config.listen.to_string(), "127.0.0.1:2");
    assert_eq!(
        config.policy.lifetimes.access_token,
        Duration::from_mins(15)
    );
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.workers, Some(3));
    assert_eq!(config.policy.scopes["calendar"], "Read your calendar");
    let effective = config.effective();
    let line = |start: &str| {
        effective
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap()
    };
    assert!(line("listen").starts_with("listen = \"127.0.0.1:2\"  # KEYFOB_LISTEN, overrides "));
    assert!(line("listen").ends_with("keyfob.toml:3"));
    assert_eq!(
        line("access_token"),
        "access_token = \"15m\"  # KEYFOB_LIFETIMES__ACCESS_TOKEN"
    );
    assert!(line("session =").ends_with("keyfob.toml:5"));
    assert_eq!(line("id_token"), "id_token = \"1h\"  # default");
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
fn a_secret_can_be_in_a_file_of_its_own() {
    let files = Files::new("issuer = \"https://login.example.com\"\n");
    let key = files.write("key", format!("{MASTER_KEY}\n"), 0o640);
    let url = files.write("url", "postgres://keyfob:hunter2@localhost/keyfob\n", 0o400);

    let config = files
        .load(&[
            ("KEYFOB_MASTER_KEY_FILE", key.to_str().unwrap()),
            ("KEYFOB_DATABASE__URL_FILE", url.to_str().unwrap()),
        ])
        .unwrap();

    assert_eq!(config.master_key.expose()[0], 0xab);
    assert_eq!(
        config.database.url.expose(),
        "postgres://keyfob:hunter2@localhost/keyfob"
    );
    assert!(
        config
            .effective()
            .contains("named by KEYFOB_DATABASE__URL_FILE")
    );
}

#[test]
fn a_secret_that_others_can_read_or_that_is_given_twice_is_refused() {
    let files = Files::new("issuer = \"https://login.example.com\"\n");
    let open = files.write("open", MASTER_KEY, 0o644);
    let private = files.write("private", MASTER_KEY, 0o600);
    let file = "KEYFOB_MASTER_KEY_FILE";
    for (environment, key, fix) in [
        (
            vec![(file, open.to_str().unwrap())],
            "master_key_file",
            "chmod 600",
        ),
        (vec![(file, "/nowhere")], "master_key_file", "exists"),
        (
            vec![
                (file, private.to_str().unwrap()),
                ("KEYFOB_MASTER_KEY", MASTER_KEY),
            ],
            "master_key",
            "keep one",
        ),
        (vec![], "master_key", "openssl rand"),
        (
            vec![("KEYFOB_MASTER_KEY", "changeme")],
            "master_key",
            "openssl rand",
        ),
        (
            vec![(
                "KEYFOB_MASTER_KEY",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            )],
            "master_key",
            "openssl rand",
        ),
    ] {
        let mistakes = files.load(&environment).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{environment:?}: {mistakes:#?}");
        assert_eq!(mistakes[0].key, key, "{environment:?}");
        assert!(
            mistakes[0].fix.contains(fix),
            "{environment:?}: {}",
            mistakes[0].fix
        );
    }

    let files = Files::new("");
    let open = files.write("open.toml", good(""), 0o644);
    let mistakes = load(&open, &[]).unwrap_err();
    assert_eq!(mistakes[0].key, "master_key");
    assert!(mistakes[0].fix.contains("chmod 600"));
}

#[test]
fn a_certificate_and_its_key_are_read_and_matched() {
    let files = Files::new("");
    let certificate = files.write("tls.pem", CERTIFICATE, 0o644);
    let key = files.write("tls.key", PRIVATE_KEY, 0o600);
    let open = files.write("open.key", PRIVATE_KEY, 0o644);
    let other = files.write("other.key", OTHER_PRIVATE_KEY, 0o600);
    let tls = |certificate: &Path, key: &Path| {
        let (certificate, key) = (certificate.display(), key.display());
        good(&format!(
            "listen = \"0.0.0.0:443\"\n[tls]\ncertificate = \"{certificate}\"\nprivate_key = \"{key}\""
        ))
    };

    let config = Files::new(&tls(&certificate, &key)).load(&[]).unwrap();
    assert_eq!(config.tls.as_ref().unwrap().certificate, certificate);
    assert_eq!(config.relaxations(), Vec::<String>::new());

    for (certificate, key, wrong, fix) in [
        (&certificate, &open, "tls.private_key", "chmod 600"),
        (&certificate, &other, "tls.private_key", "made for"),
        (&certificate, &certificate, "tls.private_key", "chmod 600"),
        (&key, &key, "tls.certificate", "PEM file"),
    ] {
        let mistakes = mistakes(&tls(certificate, key));
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        assert_eq!(mistakes[0].key, wrong);
        assert!(mistakes[0].fix.contains(fix), "{}", mistakes[0].fix);
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let password = "hunter2";
    let url = format!("postgres://keyfob:{password}@db/keyfob?password={password}");
    let files = Files::new(&good(&format!("[database]\nurl = \"{url}\"")));
    let config = files.load(&[]).unwrap();
    for shown in [
        config.effective(),
        format!("{config:?}"),
        config.relaxations().join("\n"),
    ] {
        assert!(
            !shown.contains(password) && !shown.contains(MASTER_KEY),
            "{shown}"
        );
    }

    for toml in [
        good(&format!("[database]\nurl = [\"{url}\"]")),
        good(&format!("[database]\nurl = \"mysql://{password}\"")),
        good(&format!(
            "[database]\nurl = \"postgres://keyfob:{password}@db:x/y\""
        )),
        good(&format!("[database]\nurll = \"{url}\"")),
        good(&format!("database_url = \"{url}\"")),
        good(&format!("[database]\nurl = \"{url}")),
        format!("issuer = \"https://x.example\"\nmaster_kay = \"{password}\""),
        format!("issuer = \"https://x.example\"\nmaster_key = \"{password}\""),
    ] {
        let report = format!("{:#?}", mistakes(&toml));
        assert!(!report.contains(password), "{report}");
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

#[test]
fn the_effective_configuration_is_a_configuration() {
    let toml = good(
        "[scopes]\n\"mail:read\" = \"Read \\\"your\\\" mail\"\n[keys]\nrotation_interval = \"off\"",
    );
    let config = Files::new(&toml).load(&[]).unwrap();

    let shown = config.effective().replace("(hidden)", MASTER_KEY);

    let again = Files::new(&shown).load(&[]).unwrap();
    assert_eq!(again.policy.scopes, config.policy.scopes);
    assert_eq!(again.policy.key_rotation.interval, None);
    assert_eq!(
        again.policy.lifetimes.session,
        config.policy.lifetimes.session
    );
}

#[test]
fn the_example_names_every_setting_and_its_default() {
    let example = include_str!("../keyfob.example.toml");
    let config = Files::new(example)
        .load(&[("KEYFOB_MASTER_KEY", MASTER_KEY)])
        .unwrap();
    for setting in config.settings() {
        let key = setting["key"].as_str().unwrap();
        let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
        let header = format!("[{section}]");
        let lines = example
            .lines()
            .skip_while(|line| !section.is_empty() && *line != header)
            .skip(1)
            .take_while(|line| !line.starts_with('['));
        let line = match (setting["source"].as_str(), setting["value"].as_str()) {
            (Some("default"), Some(value)) => format!("#{name} = {value}"),
            (Some("KEYFOB_MASTER_KEY"), _) => format!("#{name}_file = "),
            (_, Some(value)) => format!("{name} = {value}"),
            (_, None) => format!("#{name} = "),
        };
        let found = lines.clone().any(|own| own.starts_with(&line));
        assert!(found, "{key}: no line {line}");
    }
}

#[test]
fn every_relaxation_is_named() {
    for (toml, starts) in [
        ("listen = \"0.0.0.0:8484\"", "listen"),
        ("trusted_proxies = [\"0.0.0.0/0\"]", "trusted_proxies"),
        ("trusted_proxies = [\"::/0\"]", "trusted_proxies"),
        ("[database]\nurl = \"sqlite::memory:\"", "database.url"),
        (
            "[database]\nurl = \"postgres://u@db.example.com/k\"",
            "database.url",
        ),
        (
            "[passwords]\nmemory_kib = 8192\niterations = 2",
            "passwords.memory_kib",
        ),
        (
            "[throttle]\naccount_failures = 500",
            "throttle.account_failures",
        ),
        (
            "[keys]\nrotation_interval = \"off\"",
            "keys.rotation_interval",
        ),
        ("[log]\nlevel = \"debug\"", "log.level"),
    ] {
        let found = Files::new(&good(toml)).load(&[]).unwrap().relaxations();
        assert_eq!(found.len(), 1, "{toml}: {found:?}");
        assert!(found[0].starts_with(starts), "{toml}: {found:?}");
    }
    for toml in [
        "[passwords]\nmemory_kib = 47104\niterations = 1",
        "[log]\nlevel = \"info,keyfob=debug\"",
        "[database]\nurl = \"postgres://u@localhost/k\"",
        "[database]\nurl = \"postgres:///k?host=/run/postgresql\"",
        "[database]\nurl = \"postgres://u@db.example.com/k?sslmode=verify-full\"",
    ] {
        let found = Files::new(&good(toml)).load(&[]).unwrap().relaxations();
        assert_eq!(found, Vec::<String>::new(), "{toml}");
    }
}

/// Self-signed for login.example.com, with [`PRIVATE_KEY`].
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBrTCCAVOgAwIBAgIULRDACy3IEj5n0f7OcPoE/ZUKCcwwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRbG9naW4uZXhhbXBsZS5jb20wIBcNMjYxMTIyMjMzNDM3WhgP
MjEyNjEwMjkyMzM0MzdaMBwxGjAYBgNVBAMMEWxvZ2luLmV4YW1wbGUuY29tMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwnmXIJCEQ9E+t4zzqEtSVuH6Z393HryX
nSZ4AUBz2xZsdGczxyYeT0vJ/3MTYbm4svtkE0zXPih+m6mSuY4rS6NxMG8wHQYD
VR0OBBYEFKz0CaSxORx2z3OuXudIhXmgD2S+MB8GA1UdIwQYMBaAFKz0CaSxORx2
z3OuXudIhXmgD2S+MA8GA1UdEwEB/wQFMAMBAf8wHAYDVR0RBBUwE4IRbG9naW4u
ZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDSAAwRQIhANF9v4ViC74H+OtKQT0qx9Qb
t6b/epWQDcGWKA2cY1PqAiB75qFayCnRjJarJ5VIDEqLWqwNiJvePKlnuNKaoc/5
PQ==
-----END CERTIFICATE-----
";

const PRIVATE_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7hbjBZzXxNZKMAUp
CP+aO6uHuX/t2EtgWw3PLX6kAEqhRANCAATCeZcgkIRD0T63jPOoS1JW4fpnf3ce
vJedJngBQHPbFmx0ZzPHJh5PS8n/cxNhubiy+2QTTNc+KH6bqZK5jitL
-----END PRIVATE KEY-----
";

const OTHER_PRIVATE_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRaVJZ+AFkJ6WdBc3
gFoUX700PHt5QRpHlXFe5gAlkYmhRANCAAQvOq1uIxADkM+1RP5WaqFxbOt79hYA
SAiwDn4sNH/x5UnngRCqoiFHvzI665pKPJRWsjbpK1B/2KcI0nFZYFTe
-----END PRIVATE KEY-----
";

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
        "require_pkce = \"yes\"",
        "require_pkce",
        "\"yes\"",
        "true or false",
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

const EVERY_SETTING: &str = r##"
listen = "[::1]:9000"
internal_url = "http://keyfob:8484"
trusted_proxies = ["10.0.0.0/8", "127.0.0.1"]
require_pkce = true
workers = 4
shutdown_timeout = "5s"

[database]
url = "postgres://keyfob:hunter2@db/keyfob?sslmode=verify-full"
max_connections = 20

[brand]
name = "Example"
logo = "LOGO"
accent_color = "#2563EB"

[lifetimes]
authorization_code = "30s"
access_token = "15m"
id_token = "5m"
refresh_token_idle = "7d"
refresh_token = "90d"
refresh_grace = "0s"
session_idle = "2h"
session = "12h"
transaction = "30m"
known_browser = "30d"
client_secret_overlap = "2d"

[passwords]
memory_kib = 65536
iterations = 3
parallelism = 2
concurrency = 2
queue = 16
minimum_length = 12

[throttle]
account_failures = 5
address_failures = 50
known_browser_failures = 20
window = "10m"

[keys]
rotation_interval = "30d"
cache = "10m"

[scopes]
calendar = "Read your calendar"
"mail:read" = "Read your mail"

[log]
format = "json"
level = "info,keyfob=debug"
"##;
