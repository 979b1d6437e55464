//! DPoP proofs: that a request comes from whoever holds a key ([RFC 9449 sections 4.2 and 4.3]).
//!
//! [RFC 9449 sections 4.2 and 4.3]: https://www.rfc-editor.org/rfc/rfc9449#section-4.2

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::error::ErrorCode;
use super::jwt_claims::{JwtClaims, JwtTimeError};
use super::timestamp::Timestamp;

/// The request that a proof came with.
#[derive(Clone, Copy, Debug)]
pub struct ProvenRequest<'a> {
    /// Its method.
    pub method: &'a str,
    /// The URLs that it may have been sent to: the public one, and where there is one, that for
    /// clients in the same network.
    pub urls: &'a [String],
    /// The access token that it carries, at a protected resource.
    pub access_token: Option<&'a str>,
    /// Whether its nonce is one that the server handed out lately; `None` where none is asked for.
    pub has_fresh_nonce: Option<bool>,
}

/// What is wrong with a proof, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DpopError {
    /// More than one `DPoP` header, or one that is no text.
    #[error("the request has more than one proof, or one that cannot be read")]
    Unreadable,
    /// Not a JWT of the type, with an allowed algorithm and a public key that signed it.
    #[error("the proof is not a JWT that its own key signed")]
    Malformed,
    /// A claim that must be there is not, or is not of its type.
    #[error("the proof has no {0}")]
    Missing(&'static str),
    /// For another method.
    #[error("the proof is for another method")]
    OtherMethod,
    /// For another URL.
    #[error("the proof is for another URL")]
    OtherUrl,
    /// No nonce of the server's, or an old one.
    #[error("the proof has no nonce that was handed out lately")]
    NonceMissing,
    /// Made too long ago, or in the future, or past its own end.
    #[error("the proof was not made just now")]
    NotCurrent,
    /// For another access token.
    #[error("the proof is for another access token")]
    OtherAccessToken,
    /// Seen before.
    #[error("the proof was used before")]
    Replayed,
}

impl DpopError {
    /// The code that the client is told ([RFC 9449 sections 5 and 8]).
    ///
    /// [RFC 9449 sections 5 and 8]: https://www.rfc-editor.org/rfc/rfc9449#section-5
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::NonceMissing => ErrorCode::UseDpopNonce,
            Self::Unreadable
            | Self::Malformed
            | Self::Missing(_)
            | Self::OtherMethod
            | Self::OtherUrl
            | Self::NotCurrent
            | Self::OtherAccessToken
            | Self::Replayed => ErrorCode::InvalidDpopProof,
        }
    }
}

impl From<JwtTimeError> for DpopError {
    fn from(error: JwtTimeError) -> Self {
        match error {
            JwtTimeError::Missing(claim) | JwtTimeError::Malformed(claim) => Self::Missing(claim),
            JwtTimeError::Expired
            | JwtTimeError::TooLong
            | JwtTimeError::NotYetValid
            | JwtTimeError::IssuedLater
            | JwtTimeError::TooOld => Self::NotCurrent,
        }
    }
}

/// Whether the claims of a proof, whose signature has been verified, fit the request that it came
/// with. Returns its `jti`, and until when it must be remembered.
pub fn check(
    claims: &JwtClaims,
    request: &ProvenRequest<'_>,
    now: Timestamp,
) -> Result<(String, Timestamp), DpopError> {
    let jti = claims.text("jti").filter(|jti| !jti.is_empty());
    let jti = jti.ok_or(DpopError::Missing("jti"))?;
    let method = claims.text("htm").ok_or(DpopError::Missing("htm"))?;
    if method != request.method {
        return Err(DpopError::OtherMethod);
    }
    let url = claims.text("htu").ok_or(DpopError::Missing("htu"))?;
    if !request.urls.iter().any(|own| is_same(own, url)) {
        return Err(DpopError::OtherUrl);
    }
    let issued_at = claims.required_instant("iat")?;
    let expires_at = match request.has_fresh_nonce {
        Some(false) => return Err(DpopError::NonceMissing),
        // RFC 9449 section 11.1: the nonce says when it was made, whatever the client's clock does.
        Some(true) => now.after(NONCE_LIFETIME),
        None => {
            claims.are_current(now, FORGIVEN)?;
            if issued_at.after(LIFETIME) <= now {
                return Err(DpopError::NotCurrent);
            }
            issued_at.after(LIFETIME)
        }
    };
    if let Some(access_token) = request.access_token {
        let hash = claims.text("ath").ok_or(DpopError::Missing("ath"))?;
        if hash != URL_SAFE_NO_PAD.encode(Sha256::digest(access_token)) {
            return Err(DpopError::OtherAccessToken);
        }
    }
    Ok((jti.to_owned(), expires_at))
}

/// Whether two URLs are the same but for query and fragment, once both are in normal form
/// ([RFC 9449 section 4.3], point 9).
///
/// [RFC 9449 section 4.3]: https://www.rfc-editor.org/rfc/rfc9449#section-4.3
fn is_same(own: &str, claimed: &str) -> bool {
    let normal = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    normal(own).is_some_and(|own| normal(claimed) == Some(own))
}

/// Whether a text can be the thumbprint of a key: SHA-256 in base64url.
#[must_use]
pub fn is_thumbprint(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok()
}

/// For how long a proof is good after it was made.
const LIFETIME: Duration = Duration::from_mins(1);
/// How far a client's clock may be ahead.
const FORGIVEN: Duration = Duration::from_secs(30);
/// For how long a nonce is good: the windows in which it was handed out, and the one after.
pub const NONCE_LIFETIME: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const URL: &str = "https://op.example/oauth2/token";

    fn try_claims(
        changed: &Value,
        access_token: Option<&str>,
        has_fresh_nonce: Option<bool>,
    ) -> Result<(String, Timestamp), DpopError> {
        let mut all = json!({"jti": "j", "htm": "POST", "htu": URL, "iat": NOW.0});
        for (name, value) in changed.as_object().unwrap() {
            let all = all.as_object_mut().unwrap();
            if value.is_null() {
                all.remove(name);
            } else {
                all.insert(name.clone(), value.clone());
            }
        }
        let claims = JwtClaims::new(all.as_object().unwrap().clone());
        let request = ProvenRequest {
            method: "POST",
            urls: &["http://keyfob:8484/oauth2/token".to_owned(), URL.to_owned()],
            access_token,
            has_fresh_nonce,
        };
        check(&claims, &request, NOW)
    }

    #[test]
    fn a_proof_is_for_one_request_made_just_now() {
        let good = Ok(("j".to_owned(), Timestamp(1_000_060)));
        for (changed, expected) in [
            (json!({}), good.clone()),
            (
                json!({"htu": "HTTPS://OP.example:443/oauth2/token?a=b#c"}),
                good.clone(),
            ),
            (
                json!({"htu": "http://keyfob:8484/oauth2/token"}),
                good.clone(),
            ),
            (
                json!({"nbf": 1_000_005, "exp": 1_000_300, "more": 1}),
                good.clone(),
            ),
            (
                json!({"iat": 999_990}),
                Ok(("j".to_owned(), Timestamp(1_000_050))),
            ),
            (
                json!({"iat": 1_000_010}),
                Ok(("j".to_owned(), Timestamp(1_000_070))),
            ),
            (json!({"jti": null}), Err(DpopError::Missing("jti"))),
            (json!({"jti": ""}), Err(DpopError::Missing("jti"))),
            (json!({"jti": 1}), Err(DpopError::Missing("jti"))),
            (json!({"htm": null}), Err(DpopError::Missing("htm"))),
            (json!({"htm": "PUT"}), Err(DpopError::OtherMethod)),
            (json!({"htm": "post"}), Err(DpopError::OtherMethod)),
            (json!({"htu": null}), Err(DpopError::Missing("htu"))),
            (
                json!({"htu": "https://op.example/oauth2/par"}),
                Err(DpopError::OtherUrl),
            ),
            (
                json!({"htu": "https://op.example/oauth2/token/"}),
                Err(DpopError::OtherUrl),
            ),
            (
                json!({"htu": "http://op.example/oauth2/token"}),
                Err(DpopError::OtherUrl),
            ),
            (
                json!({"htu": "https://op.example:8443/oauth2/token"}),
                Err(DpopError::OtherUrl),
            ),
            (json!({"htu": "/oauth2/token"}), Err(DpopError::OtherUrl)),
            (json!({"iat": null}), Err(DpopError::Missing("iat"))),
            (json!({"iat": "1000000"}), Err(DpopError::Missing("iat"))),
            (json!({"iat": 999_940}), Err(DpopError::NotCurrent)),
            (json!({"iat": 1_000_031}), Err(DpopError::NotCurrent)),
            (json!({"exp": 1_000_000}), Err(DpopError::NotCurrent)),
            (json!({"nbf": 1_003_600}), Err(DpopError::NotCurrent)),
        ] {
            assert_eq!(try_claims(&changed, None, None), expected, "{changed}");
        }
    }

    #[test]
    fn a_nonce_counts_instead_of_the_clients_clock() {
        let hour_ago = json!({"iat": NOW.0 - 3600});
        assert!(try_claims(&hour_ago, None, Some(true)).is_ok());
        for changed in [json!({}), hour_ago] {
            let refused = try_claims(&changed, None, Some(false));
            assert_eq!(refused, Err(DpopError::NonceMissing));
        }
    }

    #[test]
    fn at_a_resource_a_proof_is_for_one_access_token() {
        // RFC 9449 section 7.1: the token of the example and its hash.
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
        let hash = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";
        assert!(try_claims(&json!({"ath": hash}), Some(token), None).is_ok());
        for (changed, expected) in [
            (json!({}), DpopError::Missing("ath")),
            (json!({"ath": "x"}), DpopError::OtherAccessToken),
        ] {
            assert_eq!(try_claims(&changed, Some(token), None), Err(expected));
        }
    }

    #[test]
    fn a_thumbprint_is_256_bits() {
        assert!(is_thumbprint("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"));
        for text in [
            "",
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4",
            "0ZcOCORZNYy+DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        ] {
            assert!(!is_thumbprint(text), "{text}");
        }
    }
}
