//! Single parameters of the authorization request, each with its form and its bound
//! ([OIDC Core section 3.1.2.1], [RFC 7636 section 4.3]).
//!
//! [OIDC Core section 3.1.2.1]: https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
//! [RFC 7636 section 4.3]: https://www.rfc-editor.org/rfc/rfc7636#section-4.3

use super::authorization_request::Refusal;
use super::client::Client;
use super::dpop;
use super::parameters::Parameters;
use super::pkce::CodeChallenge;
use super::policy::Policy;

pub(super) fn code_challenge(
    parameters: &Parameters,
    client: &Client,
    policy: &Policy,
) -> Result<Option<CodeChallenge>, Refusal> {
    let method = parameters.get_even_empty("code_challenge_method")?;
    // An empty challenge is a malformed one, not an absent one: anything else is a downgrade.
    let Some(challenge) = parameters.get_even_empty("code_challenge")? else {
        let metadata = &client.metadata;
        let is_protected = client.is_confidential() || metadata.allow_public_without_pkce;
        let is_required = !is_protected
            || policy.require_pkce
            || metadata.require_pkce == Some(true)
            || metadata.profile.requires_pkce();
        return match (is_required, method) {
            (true, _) => Err(Refusal::CodeChallengeMissing),
            (false, Some(_)) => Err(Refusal::CodeChallengeMalformed),
            (false, None) => Ok(None),
        };
    };
    // RFC 7636 section 4.3: without a method it would be `plain`.
    if method != Some("S256") {
        return Err(Refusal::CodeChallengeMalformed);
    }
    let parsed = challenge
        .parse()
        .map_err(|_| Refusal::CodeChallengeMalformed)?;
    Ok(Some(parsed))
}

/// [RFC 9449 section 10](https://www.rfc-editor.org/rfc/rfc9449#section-10).
pub(super) fn dpop_jkt(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    match parameters.get("dpop_jkt")? {
        Some(jkt) if !dpop::is_thumbprint(jkt) => Err(Refusal::KeyThumbprintMalformed),
        jkt => Ok(jkt.map(str::to_owned)),
    }
}

pub(super) fn max_age(text: &str) -> Result<u64, Refusal> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().map_err(|_| Refusal::InvalidMaxAge)?;
    if !is_number || i64::try_from(seconds).is_err() {
        return Err(Refusal::InvalidMaxAge);
    }
    Ok(seconds)
}

pub(super) fn bounded(value: Option<&str>) -> Result<Option<String>, Refusal> {
    if value.is_some_and(|value| value.len() > LONGEST_VALUE) {
        return Err(Refusal::TooLong);
    }
    Ok(value.map(str::to_owned))
}

const LONGEST_VALUE: usize = 2048;
