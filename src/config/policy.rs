//! The part of the configuration that is the provider's [`Policy`], and its bounds.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::mistake::Wrong;
use super::reader::Reader;
use super::registration;
use super::value::{Names, Switchable, Value as _, span};
use crate::oidc::policy::{KeyRotationPolicy, Lifetimes, PasswordPolicy, Policy, ThrottlePolicy};
use crate::oidc::scope::{STANDARD, Scopes};
use crate::oidc::signing_algorithm::SigningAlgorithm;

/// Reads the policy.
pub(super) fn read(reader: &mut Reader) -> Policy {
    let default = Policy::default();
    let key_rotation = key_rotation(reader, &default.key_rotation);
    let apis = super::api::read(reader, &key_rotation.algorithms);
    let mut registration = registration::read(reader, default.registration);
    // Who may ask for an API may register with its scopes.
    registration.scope = registration.scope.union(&apis.open_scopes());
    Policy {
        lifetimes: lifetimes(reader, &default.lifetimes),
        passwords: passwords(reader, &default.passwords),
        throttle: throttle(reader, &default.throttle),
        key_rotation,
        logout: super::logout::read(reader, default.logout),
        require_pkce: reader.or("require_pkce", default.require_pkce),
        require_pushed_authorization_requests: reader.or(
            "require_pushed_authorization_requests",
            default.require_pushed_authorization_requests,
        ),
        dpop_nonces: reader.or("dpop_nonces", default.dpop_nonces),
        unsigned_request_objects: reader
            .or("unsigned_request_objects", default.unsigned_request_objects),
        request_uri: reader.or("request_uri", default.request_uri),
        registration,
        webfinger_domains: registration::webfinger_domains(reader),
        scopes: scopes(reader),
        trusted_issuers: super::trusted_issuers::read(reader),
        authorization_details: super::authorization_details::read(reader),
        apis,
        outbound: super::outbound::read(reader),
        client_certificates: default.client_certificates.clone(),
    }
}

fn lifetimes(reader: &mut Reader, default: &Lifetimes) -> Lifetimes {
    let mut read = |name: &str, default: Duration, bounds: &RangeInclusive<Duration>| {
        reader.within(&format!("lifetimes.{name}"), default, bounds)
    };
    let lifetimes = Lifetimes {
        authorization_code: read("authorization_code", default.authorization_code, &CODE),
        device_code: read("device_code", default.device_code, &DEVICE_CODE),
        access_token: read("access_token", default.access_token, &TOKEN),
        id_token: read("id_token", default.id_token, &TOKEN),
        refresh_token_idle: read("refresh_token_idle", default.refresh_token_idle, &GRANT),
        refresh_token: read("refresh_token", default.refresh_token, &GRANT),
        refresh_grace: read("refresh_grace", default.refresh_grace, &GRACE),
        session_idle: read("session_idle", default.session_idle, &SESSION),
        session: read("session", default.session, &SESSION),
        transaction: read("transaction", default.transaction, &TRANSACTION),
        pushed_request: read("pushed_request", default.pushed_request, &PUSHED_REQUEST),
        known_browser: read("known_browser", default.known_browser, &SESSION),
        client_secret_overlap: read(
            "client_secret_overlap",
            default.client_secret_overlap,
            &OVERLAP,
        ),
    };
    for (idle_key, idle, whole_key, whole) in [
        (
            "lifetimes.refresh_token_idle",
            lifetimes.refresh_token_idle,
            "lifetimes.refresh_token",
            lifetimes.refresh_token,
        ),
        (
            "lifetimes.session_idle",
            lifetimes.session_idle,
            "lifetimes.session",
            lifetimes.session,
        ),
    ] {
        if idle > whole {
            let wrong = Wrong::new(
                format!("is longer than {whole_key}, which is {}", span(whole)),
                format!("make it {} or less, or {whole_key} longer", span(whole)),
            );
            reader.wrong(idle_key, wrong);
        }
    }
    lifetimes
}

fn passwords(reader: &mut Reader, default: &PasswordPolicy) -> PasswordPolicy {
    PasswordPolicy {
        // 7 MiB is the least of OWASP's parameters, 4 GiB what argon2 can address.
        memory_kib: reader.within(
            "passwords.memory_kib",
            default.memory_kib,
            &(7 * 1024..=4 * 1024 * 1024),
        ),
        iterations: reader.within("passwords.iterations", default.iterations, &(1..=64)),
        parallelism: reader.within("passwords.parallelism", default.parallelism, &(1..=64)),
        concurrency: reader.optional_within("passwords.concurrency", &(1..=1024)),
        queue: reader.within("passwords.queue", default.queue, &(0..=100_000)),
        // NIST SP 800-63B: at least 8 characters.
        minimum_length: reader.within(
            "passwords.minimum_length",
            default.minimum_length,
            &(8..=64),
        ),
    }
}

fn throttle(reader: &mut Reader, default: &ThrottlePolicy) -> ThrottlePolicy {
    ThrottlePolicy {
        account_failures: reader.within(
            "throttle.account_failures",
            default.account_failures,
            &(1..=1_000_000),
        ),
        address_failures: reader.within(
            "throttle.address_failures",
            default.address_failures,
            &(1..=1_000_000),
        ),
        address_registrations: reader.within(
            "throttle.address_registrations",
            default.address_registrations,
            &(1..=1_000_000),
        ),
        known_browser_failures: reader.within(
            "throttle.known_browser_failures",
            default.known_browser_failures,
            &(1..=1_000_000),
        ),
        user_code_failures: reader.within(
            "throttle.user_code_failures",
            default.user_code_failures,
            &(1..=MOST_USER_CODE_FAILURES),
        ),
        window: reader.within("throttle.window", default.window, &(SECOND..=DAY)),
    }
}

fn key_rotation(reader: &mut Reader, default: &KeyRotationPolicy) -> KeyRotationPolicy {
    let interval = Switchable(default.interval);
    let interval = reader.or("keys.rotation_interval", interval).0;
    let cache = reader.within("keys.cache", default.cache, &(SECOND..=DAY));
    // A key is published for twice the cache's time before it signs.
    let least = cache * 4;
    if interval.is_some_and(|interval| interval < least || interval > LONGEST_ROTATION) {
        let (least, most) = (least.to_toml(), LONGEST_ROTATION.to_toml());
        let wrong = Wrong::new(
            format!("is not between {least} (four times keys.cache) and {most}"),
            format!("write a value from {least} to {most}, or \"off\""),
        );
        reader.wrong("keys.rotation_interval", wrong);
    }
    KeyRotationPolicy {
        algorithms: signing_algorithms(reader, &default.algorithms),
        interval,
        cache,
    }
}

fn signing_algorithms(reader: &mut Reader, default: &[SigningAlgorithm]) -> Vec<SigningAlgorithm> {
    let key = "keys.algorithms";
    let names = default.iter().map(ToString::to_string).collect();
    let Names(names) = reader.or(key, Names(names));
    let known = SigningAlgorithm::ALL.iter().map(|it| it.as_str());
    let fix = format!("write some of {}", known.collect::<Vec<_>>().join(", "));
    for name in &names {
        if name.parse::<SigningAlgorithm>().is_err() {
            let problem = format!("has {name:?}, which Keyfob cannot sign with");
            reader.wrong(key, Wrong::new(problem, fix.clone()));
        }
    }
    // OIDC Core section 15.1; and what clients get that ask for nothing else.
    if !names
        .iter()
        .any(|name| name == SigningAlgorithm::RS256.as_str())
    {
        let problem = "lacks RS256, which every OpenID provider has";
        reader.wrong(key, Wrong::new(problem, "add \"RS256\""));
    }
    let all = SigningAlgorithm::ALL.iter().copied();
    all.filter(|it| names.iter().any(|name| name == it.as_str()))
        .collect()
}

fn scopes(reader: &mut Reader) -> BTreeMap<String, String> {
    let described: Vec<(String, String)> = reader.section("scopes");
    for (scope, _) in &described {
        let key = format!("scopes.{scope}");
        let is_token = scope
            .parse::<Scopes>()
            .is_ok_and(|parsed| parsed.contains(scope));
        if !is_token {
            let wrong = Wrong::new(
                "is not the name of a scope",
                "write printable ASCII characters without spaces, quotes and backslashes",
            );
            reader.wrong(&key, wrong);
        }
        if STANDARD.contains(&scope.as_str()) {
            let wrong = Wrong::new(
                "is a standard scope, whose meaning is given",
                "remove it: only scopes of your own need words",
            );
            reader.wrong(&key, wrong);
        }
    }
    described.into_iter().collect()
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// [RFC 6749 section 4.1.2]: at most ten minutes.
///
/// [RFC 6749 section 4.1.2]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
const CODE: RangeInclusive<Duration> = SECOND..=Duration::from_mins(10);
/// As long as [RFC 8628 section 6.1] has in mind for a code of this length.
///
/// [RFC 8628 section 6.1]: https://www.rfc-editor.org/rfc/rfc8628#section-6.1
const DEVICE_CODE: RangeInclusive<Duration> = MINUTE..=Duration::from_mins(30);
const MOST_USER_CODE_FAILURES: u32 = 100;
const TOKEN: RangeInclusive<Duration> = SECOND..=DAY;
const GRANT: RangeInclusive<Duration> = SECOND..=Duration::from_hours(43800);
const GRACE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(5);
/// Browsers keep no cookie for longer.
const SESSION: RangeInclusive<Duration> = SECOND..=Duration::from_hours(9600);
/// [RFC 9126 section 2.2]: from 5 to 600 seconds.
///
/// [RFC 9126 section 2.2]: https://www.rfc-editor.org/rfc/rfc9126#section-2.2
const PUSHED_REQUEST: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_mins(10);
const TRANSACTION: RangeInclusive<Duration> = MINUTE..=DAY;
const OVERLAP: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(2160);
const LONGEST_ROTATION: Duration = Duration::from_hours(43800);
