//! What is set is in force, and shown with where it comes from.

use std::time::Duration;

use keyfob::config::log::LogFormat;
use keyfob::oidc::jws_algorithm::JwsAlgorithm;
use keyfob::oidc::logout::EndingGrants;
use keyfob::oidc::policy::{MetadataDocumentPolicy, RegistrationMode};
use keyfob::oidc::workload_identity::IssuerKeys;

use super::support::{Files, MASTER_KEY, good};

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
    assert!(policy.require_pushed_authorization_requests);
    assert!(policy.unsigned_request_objects && policy.request_uri);
    assert_eq!(policy.lifetimes.pushed_request, Duration::from_mins(1));
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
    assert_eq!(policy.logout.ends, EndingGrants::All);
    assert!(policy.logout.session_management);
    assert_eq!(policy.userinfo_max_age, Some(Duration::from_mins(20)));
    assert_eq!(policy.scopes["mail:read"], "Read your mail");
    assert!(policy.client_certificates.is_accepted);
    let allowed = policy.outbound.allow.iter().map(ToString::to_string);
    let allowed: Vec<_> = allowed.collect();
    assert_eq!(allowed, ["intranet.example:8443", "10.0.0.7:443"]);
    assert_eq!(policy.throttle.address_registrations, 1000);
    let registration = policy.registration;
    assert_eq!(registration.mode, RegistrationMode::Token);
    assert!(registration.require_pkce);
    assert!(registration.allow_implicit);
    assert_eq!(registration.scope.to_string(), "mail:read calendar");
    let hosts = vec!["clients.example.com".to_owned()];
    let documents = MetadataDocumentPolicy::AtHosts(hosts);
    assert_eq!(registration.metadata_documents, documents);
    assert_eq!(registration.unused_lifetime, Duration::from_hours(24));
    assert_eq!(policy.webfinger_domains, ["example.com", "example.org"]);
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn hosts_that_may_be_called_are_listed_one_by_one() {
    let files = Files::new(&good(""));
    let config = files.load(&[("KEYFOB_OUTBOUND__ALLOW", "a.example:8443, [fd00::1]:443")]);
    let config = config.unwrap();
    let relaxations = config.relaxations();
    for (line, authority) in relaxations.iter().zip(["a.example:8443", "[fd00::1]:443"]) {
        let expected = format!("outbound.allow has {authority}: ");
        assert!(line.starts_with(&expected), "{line}");
    }
    assert_eq!(relaxations.len(), 2);
    assert!(!config.policy.outbound.allows_loopback);

    let ca = files.write("ca.pem", "no certificate", 0o644);
    let file = format!("extra_ca_file = \"{}\"", ca.display());
    for (wrong, key) in [
        ("allow = [\"10.0.0.0/8\"]", "outbound.allow"),
        ("allow = [\"a.example\"]", "outbound.allow"),
        ("allow = [\"*:443\"]", "outbound.allow"),
        ("allow = [\"https://a.example:443\"]", "outbound.allow"),
        ("allow = true", "outbound.allow"),
        ("extra_ca_file = \"missing.pem\"", "outbound.extra_ca_file"),
        (&*file, "outbound.extra_ca_file"),
    ] {
        let mistakes = Files::new(&good(&format!("[outbound]\n{wrong}"))).load(&[]);
        let mistakes = mistakes.unwrap_err();
        assert_eq!(mistakes.len(), 1, "{wrong}: {mistakes:?}");
        assert_eq!(mistakes[0].key, key, "{wrong}");
    }
}

#[test]
fn a_type_of_authorization_details_may_have_dots_in_its_name() {
    let config = Files::new(&good(
        "[authorization_details.payment]\ndescription = \"Pay from your account\"\n\
         actions = [\"initiate\", \"cancel\"]\n\
         [authorization_details.\"https://api.test/v1.0\"]\n\
         description = \"Read your address\"\nlocations = [\"https://api.test/\"]",
    ));
    let policy = config.load(&[]).unwrap().policy;

    let payment = &policy.authorization_details["payment"];
    assert_eq!(payment.description, "Pay from your account");
    assert!(payment.members.is_none());
    let actions = payment.actions.iter().flatten().collect::<Vec<_>>();
    assert_eq!(actions, ["cancel", "initiate"]);
    let address = &policy.authorization_details["https://api.test/v1.0"];
    assert_eq!(address.locations.as_ref().unwrap().len(), 1);
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
fn the_effective_configuration_is_a_configuration() {
    let toml = good(
        "[scopes]\n\"mail:read\" = \"Read \\\"your\\\" mail\"\n[keys]\nrotation_interval = \"off\"\n\
         algorithms = [\"ES384\", \"RS256\", \"PS256\"]\n\
         [authorization_details.\"https://a.test/1.0\"]\ndescription = \"Pay\"\nactions = [\"a\", \"b\"]",
    );
    let config = Files::new(&toml).load(&[]).unwrap();

    let shown = config.effective().replace("(hidden)", MASTER_KEY);

    let again = Files::new(&shown).load(&[]).unwrap();
    assert_eq!(again.policy.scopes, config.policy.scopes);
    let details = &config.policy.authorization_details;
    assert_eq!(again.policy.authorization_details, *details);
    assert_eq!(details.len(), 1);
    assert_eq!(again.policy.key_rotation.interval, None);
    let algorithms = again.policy.key_rotation.algorithms.iter();
    let algorithms: Vec<_> = algorithms.map(ToString::to_string).collect();
    assert_eq!(algorithms, ["RS256", "PS256", "ES384"]);
    assert_eq!(
        again.policy.lifetimes.session,
        config.policy.lifetimes.session
    );
}

#[test]
fn the_example_names_every_setting_and_its_default() {
    let example = include_str!("../../keyfob.example.toml");
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
        (
            "unsigned_request_objects = true",
            "unsigned_request_objects",
        ),
        ("[registration]\nmode = \"open\"", "registration.mode"),
        (
            "[registration]\nclient_id_metadata_documents = true",
            "registration.client_id_metadata_documents",
        ),
        ("[log]\nlevel = \"debug\"", "log.level"),
        (
            "[registration]\nmode = \"token\"\nallow_implicit = true",
            "registration.allow_implicit",
        ),
    ] {
        let found = Files::new(&good(toml)).load(&[]).unwrap().relaxations();
        assert_eq!(found.len(), 1, "{toml}: {found:?}");
        assert!(found[0].starts_with(starts), "{toml}: {found:?}");
    }
    for toml in [
        "[passwords]\nmemory_kib = 47104\niterations = 1",
        "[log]\nlevel = \"info,keyfob=debug\"",
        "[registration]\nclient_id_metadata_documents = true\nmetadata_document_hosts = [\"a.test\"]",
        "[database]\nurl = \"postgres://u@localhost/k\"",
        "[database]\nurl = \"postgres:///k?host=/run/postgresql\"",
        "[database]\nurl = \"postgres://u@db.example.com/k?sslmode=verify-full\"",
    ] {
        let found = Files::new(&good(toml)).load(&[]).unwrap().relaxations();
        assert_eq!(found, Vec::<String>::new(), "{toml}");
    }
}

const EVERY_SETTING: &str = r##"
listen = "[::1]:9000"
internal_url = "http://keyfob:8484"
trusted_proxies = ["10.0.0.0/8", "127.0.0.1"]
require_pkce = true
require_pushed_authorization_requests = true
unsigned_request_objects = true
request_uri = true
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
pushed_request = "1m"
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
address_registrations = 1000
window = "10m"

[keys]
algorithms = ["RS256", "ES256", "PS256"]
rotation_interval = "30d"
cache = "10m"

[step_up]
userinfo_max_age = "20m"

[logout]
ends = "all"
session_management = true

[client_certificates]
header = "X-Client-Cert"

[outbound]
allow = ["Intranet.example:8443", "10.0.0.7:443"]

[registration]
mode = "token"
require_pkce = true
allow_implicit = true
scope = "mail:read calendar"
client_id_metadata_documents = true
metadata_document_hosts = ["clients.example.com"]
unused_lifetime = "1d"

[webfinger]
domains = ["example.com", "example.org"]

[scopes]
calendar = "Read your calendar"
"mail:read" = "Read your mail"

[log]
format = "json"
level = "info,keyfob=debug"
"##;

#[test]
fn an_issuer_of_workloads_is_read_under_its_name() {
    let files = Files::new("");
    let jwks = files.write("jwks.json", r#"{"keys": []}"#, 0o644);
    let section = |members: &str| good(&format!("[trusted_issuers.ci]\n{members}"));
    let files = Files::new(&section(&format!(
        "issuer = \"https://ci.test\"\njwks_file = \"{}\"\nalgorithms = [\"EdDSA\"]\n",
        jwks.display()
    )));
    let environment = [
        (
            "KEYFOB_TRUSTED_ISSUERS__CLUSTER__ISSUER",
            "https://k8s.test",
        ),
        ("KEYFOB_TRUSTED_ISSUERS__CLUSTER__AUDIENCE", "a, b"),
        ("KEYFOB_TRUSTED_ISSUERS__CLUSTER__SINGLE_USE", "false"),
    ];
    let config = files.load(&environment).unwrap();
    let [ci, cluster] = config.policy.trusted_issuers.as_slice() else {
        unreachable!("there are two")
    };
    assert_eq!(ci.issuer, "https://ci.test");
    assert!(matches!(ci.keys, IssuerKeys::Given(_)));
    assert_eq!(ci.algorithms, [JwsAlgorithm::EdDsa]);
    assert!(ci.single_use);
    assert_eq!(cluster.issuer, "https://k8s.test");
    assert!(matches!(cluster.keys, IssuerKeys::Discovered));
    assert_eq!(cluster.audience, ["a", "b"]);
    assert_eq!(cluster.longest, Duration::from_hours(1));
    assert!(!cluster.single_use);
    assert!(
        config
            .effective()
            .contains("\n[trusted_issuers.ci]\nissuer = \"https://ci.test\"")
    );

    for (members, key) in [
        ("audience = []", "trusted_issuers.ci.issuer"),
        (
            "issuer = \"https://ci.test\"\nalgorithms = [\"none\"]",
            "trusted_issuers.ci.algorithms",
        ),
        (
            "issuer = \"https://ci.test\"\nalgorithms = [\"HS256\"]",
            "trusted_issuers.ci.algorithms",
        ),
        (
            "issuer = \"https://ci.test\"\njwks_file = \"missing\"",
            "trusted_issuers.ci.jwks_file",
        ),
        (
            "issuer = \"https://ci.test\"\nlongest_lifetime = \"2d\"",
            "trusted_issuers.ci.longest_lifetime",
        ),
        (
            "issuer = \"https://ci.test\"\nsubject = \"x\"",
            "trusted_issuers.ci.subject",
        ),
    ] {
        let mistakes = Files::new(&section(members)).load(&[]).unwrap_err();
        let keys: Vec<_> = mistakes.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(keys, [key], "{members}");
    }
}
