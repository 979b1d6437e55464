//! Workload identities: JWTs of other issuers by which a CI job or a Kubernetes workload acts as a
//! client without a secret ([RFC 7523 section 2.1], [RFC 7521 section 4.1]).
//!
//! The operator says which issuers count ([`TrustedIssuer`]), and each client which of their
//! workloads it is ([`WorkloadIdentity`]).
//!
//! [RFC 7523 section 2.1]: https://www.rfc-editor.org/rfc/rfc7523#section-2.1
//! [RFC 7521 section 4.1]: https://www.rfc-editor.org/rfc/rfc7521#section-4.1

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client_assertion::SingleUse;
use super::jwks::Jwks;
use super::jws_algorithm::JwsAlgorithm;
use super::jwt_claims::{JwtClaims, JwtTimeError};
use super::secret::Digest;
use super::timestamp::Timestamp;

/// An issuer whose JWTs count.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// Its identifier, the claim `iss` to the byte.
    pub issuer: String,
    /// Where its keys are.
    pub keys: IssuerKeys,
    /// What `aud` may name beside Keyfob's issuer and token endpoint.
    pub audience: Vec<String>,
    /// The algorithms that it may sign with.
    pub algorithms: Vec<JwsAlgorithm>,
    /// The longest that one of its JWTs may still live.
    pub longest: Duration,
    /// Whether a JWT that has a `jti` counts once. Kubernetes gives a workload one for an hour.
    pub single_use: bool,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug)]
pub enum IssuerKeys {
    /// Where its discovery document says.
    Discovered,
    /// At this URL.
    At(String),
    /// Here.
    Given(Jwks),
}

/// A workload that is a client: one of the members `workload_identities` of its metadata, which
/// only operators write.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct WorkloadIdentity {
    /// The issuer, which has to be a trusted one.
    pub issuer: String,
    /// The claim `sub`, in which a `*` stands for any characters but a colon.
    pub subject: String,
    /// Claims that must be there with these values. A name that starts with a slash is a JSON
    /// Pointer ([RFC 6901]).
    ///
    /// [RFC 6901]: https://www.rfc-editor.org/rfc/rfc6901
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, Value>,
}

impl WorkloadIdentity {
    /// Whether the workload that these claims are about is this one.
    #[must_use]
    pub fn is_met_by(&self, claims: &JwtClaims) -> bool {
        let has = |(name, expected): (&String, &Value)| claim(claims, name) == Some(expected);
        claims.text("iss") == Some(&self.issuer)
            && claims
                .text("sub")
                .is_some_and(|subject| matches(&self.subject, subject))
            && self.claims.iter().all(has)
    }

    /// Whether it says enough to tell a workload from others.
    #[must_use]
    pub fn is_distinct(&self) -> bool {
        !self.issuer.is_empty() && !self.subject.is_empty() && !self.subject.starts_with('*')
    }
}

/// The claim of this name.
fn claim<'a>(claims: &'a JwtClaims, name: &str) -> Option<&'a Value> {
    let Some(pointer) = name.strip_prefix('/') else {
        return claims.get(name);
    };
    let mut parts = pointer
        .split('/')
        .map(|part| part.replace("~1", "/").replace("~0", "~"));
    let first = parts.next()?;
    parts.try_fold(claims.get(&first)?, |value, part| value.get(part))
}

/// Whether `text` is `pattern`, in which each `*` stands for any characters but a colon. What
/// stands between colons is what issuers put together: a branch must not pass for a repository.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut patterns, mut texts) = (pattern.split(':'), text.split(':'));
    loop {
        match (patterns.next(), texts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(text)) if matches_part(pattern, text) => {}
            _ => return false,
        }
    }
}

fn matches_part(pattern: &str, text: &str) -> bool {
    let Some((start, pattern)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(start) else {
        return false;
    };
    let mut parts = pattern.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        // The first place is as good as any: what follows has the most left to be found in.
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

/// The values that `typ` may have, if it is there: not those of access tokens and the like.
pub const TYPES: &[&str] = &["JWT"];

/// The issuer that a JWT names, before anything of it has been verified: who is to be asked for
/// the keys.
#[must_use]
pub fn claimed_issuer(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let payload = assertion.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let issuer: Issuer = serde_json::from_slice(&payload).ok()?;
    Some(issuer.iss)
}

/// What is wrong with a JWT whose signature is its issuer's, in the order of the checks
/// ([RFC 7523 section 3]).
///
/// [RFC 7523 section 3]: https://www.rfc-editor.org/rfc/rfc7523#section-3
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AssertionError {
    /// `iss` is another issuer.
    #[error("the assertion is of another issuer")]
    WrongIssuer,
    /// `sub` is missing.
    #[error("the assertion has no subject")]
    NoSubject,
    /// `aud` does not name this server.
    #[error("the assertion is for another audience")]
    WrongAudience,
    /// `exp`, `nbf` or `iat` is wrong.
    #[error("the assertion is not good now: {0}")]
    Time(#[from] JwtTimeError),
    /// The client is another workload, or none.
    #[error("the workload of the assertion is not the client")]
    AnotherWorkload,
}

/// Checks the claims of a JWT of `issuer`, whose signature has been verified, and whether they are
/// about one of `identities`. Returns what it is to be remembered by, if it counts once.
pub fn check(
    claims: &JwtClaims,
    issuer: &TrustedIssuer,
    own: &[String],
    identities: &[WorkloadIdentity],
    now: Timestamp,
) -> Result<Option<SingleUse>, AssertionError> {
    if claims.text("iss") != Some(&issuer.issuer) {
        return Err(AssertionError::WrongIssuer);
    }
    if claims.text("sub").is_none_or(str::is_empty) {
        return Err(AssertionError::NoSubject);
    }
    let is_ours = |name: &&str| own.iter().chain(&issuer.audience).any(|own| own == name);
    if !claims.audience().iter().any(is_ours) {
        return Err(AssertionError::WrongAudience);
    }
    let expires_at = claims.expire_within(now, LEEWAY, issuer.longest)?;
    if !identities.iter().any(|identity| identity.is_met_by(claims)) {
        return Err(AssertionError::AnotherWorkload);
    }
    let jti = claims.text("jti").filter(|_| issuer.single_use);
    Ok(jti.map(|jti| SingleUse {
        // An issuer is a URL and has no line break, so the two cannot run into each other.
        digest: Digest::of(&format!("workload\n{}\n{jti}", issuer.issuer)),
        expires_at,
    }))
}

/// What is forgiven to a clock that goes fast.
const LEEWAY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const CI: &str = "https://ci.test";

    fn issuer() -> TrustedIssuer {
        TrustedIssuer {
            issuer: CI.to_owned(),
            keys: IssuerKeys::Discovered,
            audience: vec!["keyfob".to_owned()],
            algorithms: vec![JwsAlgorithm::RS256],
            longest: Duration::from_hours(1),
            single_use: true,
        }
    }

    fn claims(changes: &Value) -> JwtClaims {
        let mut claims = json!({
            "iss": CI, "sub": "repo:acme/app:ref:refs/heads/main", "aud": "keyfob",
            "exp": 1_000_060, "jti": "1", "repository_id": 7, "environment": "prod",
            "kubernetes.io": {"serviceaccount": {"name": "deployer"}},
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        JwtClaims::new(claims.as_object().unwrap().clone())
    }

    fn identity(subject: &str, claims: &Value) -> WorkloadIdentity {
        WorkloadIdentity {
            issuer: CI.to_owned(),
            subject: subject.to_owned(),
            claims: serde_json::from_value(claims.clone()).unwrap(),
        }
    }

    #[test]
    fn a_subject_is_matched_part_by_part() {
        for (pattern, text, expected) in [
            ("a:b", "a:b", true),
            ("a:b", "a:b:c", false),
            ("a:b", "A:b", false),
            (
                "repo:acme/*:ref:refs/heads/main",
                "repo:acme/app:ref:refs/heads/main",
                true,
            ),
            (
                "repo:acme/*:ref:refs/heads/main",
                "repo:acme/:ref:refs/heads/main",
                true,
            ),
            (
                "repo:acme/*:ref:refs/heads/main",
                "repo:acme2/app:ref:refs/heads/main",
                false,
            ),
            // An environment that is called like a branch.
            (
                "repo:acme/*:ref:refs/heads/main",
                "repo:acme/app:environment:x:ref:refs/heads/main",
                false,
            ),
            ("repo:acme/app:*", "repo:acme/app:pull_request", true),
            (
                "repo:acme/app:*",
                "repo:acme/app:ref:refs/heads/main",
                false,
            ),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "aXbbYcc", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
            ("a*", "", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_workload_is_known_by_issuer_subject_and_claims() {
        let subject = "repo:acme/app:ref:refs/heads/*";
        for (identity, expected) in [
            (identity(subject, &json!({})), true),
            (identity(subject, &json!({"repository_id": 7})), true),
            (identity(subject, &json!({"repository_id": "7"})), false),
            (
                identity(subject, &json!({"repository_id": 7, "x": 1})),
                false,
            ),
            (
                identity(
                    subject,
                    &json!({"/kubernetes.io/serviceaccount/name": "deployer"}),
                ),
                true,
            ),
            (
                identity(subject, &json!({"/kubernetes.io/serviceaccount/name": "x"})),
                false,
            ),
            (
                identity(subject, &json!({"/kubernetes.io/x/name": "x"})),
                false,
            ),
            (
                identity("repo:acme/other:ref:refs/heads/*", &json!({})),
                false,
            ),
            (
                WorkloadIdentity {
                    issuer: "https://other.test".to_owned(),
                    ..identity(subject, &json!({}))
                },
                false,
            ),
        ] {
            assert_eq!(
                identity.is_met_by(&claims(&json!({}))),
                expected,
                "{identity:?}"
            );
        }
        for (subject, is_distinct) in [("a*", true), ("*", false), ("*:a", false), ("", false)] {
            assert_eq!(identity(subject, &json!({})).is_distinct(), is_distinct);
        }
    }

    #[test]
    fn an_assertion_is_of_its_issuer_for_this_server_and_short_lived() {
        use AssertionError::{AnotherWorkload, NoSubject, Time, WrongAudience, WrongIssuer};
        let own = ["https://op.test".to_owned()];
        let identities = [identity("repo:acme/app:ref:refs/heads/main", &json!({}))];
        for (changes, expected) in [
            (json!({}), Ok(true)),
            (json!({"jti": null}), Ok(false)),
            (json!({"aud": ["x", "https://op.test"]}), Ok(true)),
            (json!({"iss": "https://ci.test/"}), Err(WrongIssuer)),
            (json!({"sub": ""}), Err(NoSubject)),
            (json!({"sub": 1}), Err(NoSubject)),
            (
                json!({"sub": "repo:acme/app:ref:refs/heads/x"}),
                Err(AnotherWorkload),
            ),
            (json!({"aud": "https://op.test/"}), Err(WrongAudience)),
            (json!({"aud": {}}), Err(WrongAudience)),
            (json!({"aud": [1]}), Err(WrongAudience)),
            (json!({"exp": 1_000_000}), Err(Time(JwtTimeError::Expired))),
            (json!({"exp": 1_009_999}), Err(Time(JwtTimeError::TooLong))),
            (
                json!({"exp": "9999999999"}),
                Err(Time(JwtTimeError::Malformed("exp"))),
            ),
            (
                json!({"nbf": 1_000_060}),
                Err(Time(JwtTimeError::NotYetValid)),
            ),
            (json!({"nbf": 1_000_008, "iat": 1_000_008}), Ok(true)),
        ] {
            let used = check(&claims(&changes), &issuer(), &own, &identities, NOW);
            assert_eq!(used.map(|used| used.is_some()), expected, "{changes}");
        }
        let often = TrustedIssuer {
            single_use: false,
            ..issuer()
        };
        let used = check(&claims(&json!({})), &often, &own, &identities, NOW);
        assert_eq!(used, Ok(None));
    }
}
