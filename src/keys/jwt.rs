//! Signed tokens: JWS in compact form ([RFC 7515]) around JWT claims ([RFC 7519]), and the checks
//! that tell ours from everybody else's.
//!
//! **Invariant:** a token is verified with the key that its `kid` names among ours, under that
//! key's one algorithm. Nothing else in the header has a say.
//!
//! [RFC 7515]: https://www.rfc-editor.org/rfc/rfc7515
//! [RFC 7519]: https://www.rfc-editor.org/rfc/rfc7519

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::KeyError;
use super::crypto_provider::named;
use super::keyset::Keyset;
use super::published_keys::{PublishedKeys, VerificationKey};
use super::signing_key::SigningKey;
use super::verified;
use crate::oidc::timestamp::Timestamp;

/// What a token is, told by its `typ`, so that none is taken for another
/// ([RFC 8725 section 3.11]).
///
/// [RFC 8725 section 3.11]: https://www.rfc-editor.org/rfc/rfc8725#section-3.11
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenType {
    /// An ID token.
    IdToken,
    /// An access token ([RFC 9068 section 2.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.1)).
    AccessToken,
    /// A logout token
    /// ([Back-Channel Logout section 2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)).
    LogoutToken,
    /// What the introspection endpoint says of a token
    /// ([RFC 9701 section 5](https://www.rfc-editor.org/rfc/rfc9701#section-5)).
    Introspection,
}

impl TokenType {
    /// The value of `typ`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdToken => "JWT",
            Self::AccessToken => "at+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::Introspection => "token-introspection+jwt",
        }
    }

    /// Whether a header with this `typ` may be of this type.
    fn accepts(self, typ: &str) -> bool {
        // RFC 9068 section 4 has resource servers accept both spellings.
        typ == self.as_str() || (self == Self::AccessToken && typ == "application/at+jwt")
    }
}

/// What a token must be to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What it is.
    pub token_type: TokenType,
    /// Its `iss`, to the character.
    pub issuer: &'a str,
    /// What its `aud` must contain, where that is known.
    pub audience: Option<&'a str>,
    /// The present instant. There is no leeway: the tokens are our own.
    pub now: Timestamp,
    /// Whether it must not have expired. An `id_token_hint` may have
    /// ([RP-Initiated Logout section 2]).
    ///
    /// [RP-Initiated Logout section 2]: https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
    pub check_expiry: bool,
}

/// What is wrong with a token, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwtError {
    /// It is longer than any token of ours.
    #[error("the token is too long")]
    TooLong,
    /// It does not have three parts, or one of them is empty.
    #[error("the token does not have three parts")]
    NotThreeParts,
    /// A part is not base64url as an encoder would write it.
    #[error("a part of the token is not base64url")]
    NotBase64Url,
    /// The header is not a JSON object with distinct members.
    #[error("the header is not a JSON object")]
    MalformedHeader,
    /// The header has `crit`: no extension is understood here.
    #[error("the header asks for an extension")]
    CriticalExtension,
    /// The header's `typ` is missing, or that of another kind of token.
    #[error("the token is of another type")]
    WrongType,
    /// The header has no `kid`.
    #[error("the token names no key")]
    NoKeyId,
    /// The `kid` names none of our keys.
    #[error("the token names an unknown key")]
    UnknownKey,
    /// The header's `alg` is not that of the key.
    #[error("the token's algorithm is not that of its key")]
    WrongAlgorithm,
    /// The key did not make the signature.
    #[error("the signature is wrong")]
    WrongSignature,
    /// The claims are not a JSON object with distinct members.
    #[error("the claims are not a JSON object")]
    MalformedClaims,
    /// Another issuer's, or nobody's.
    #[error("the token is of another issuer")]
    WrongIssuer,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// `exp` is missing, or not a whole number.
    #[error("the token does not say when it expires")]
    MalformedExpiry,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is not a whole number.
    #[error("the token does not say from when it is valid")]
    MalformedNotBefore,
    /// It is not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The claims are right so far, but not those that the caller asked for.
    #[error("the token does not have the claims of its kind")]
    UnexpectedClaims,
}

/// Signs `claims`. The header has `typ`, `alg` and `kid`, and nothing else.
///
/// An RS256 signature keeps the calling thread busy for about a millisecond.
pub fn sign<C: Serialize>(
    key: &SigningKey,
    token_type: TokenType,
    claims: &C,
) -> Result<String, KeyError> {
    encode(key, Some(token_type.as_str()), claims)
}

/// Signs `claims` that are no token: an authorization response ([JARM section 2.1]) or userinfo
/// ([OIDC Core section 5.3.2]), which have no `typ` of their own. Without one, nothing here takes
/// them for a token either.
///
/// [JARM section 2.1]: https://openid.net/specs/oauth-v2-jarm-final.html#section-2.1
/// [OIDC Core section 5.3.2]: https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
pub fn sign_untyped<C: Serialize>(key: &SigningKey, claims: &C) -> Result<String, KeyError> {
    encode(key, None, claims)
}

fn encode<C: Serialize>(
    key: &SigningKey,
    typ: Option<&str>,
    claims: &C,
) -> Result<String, KeyError> {
    let mut header = jsonwebtoken::Header::new(named(key.algorithm()));
    header.typ = typ.map(str::to_owned);
    header.kid = Some(key.kid().to_owned());
    jsonwebtoken::encode(&header, claims, key.encoding_key())
        .map_err(|_| KeyError::Signing(key.algorithm()))
}

/// The claims of `token`, if it is one of ours and what is `expected`.
///
/// The checks are those of [RFC 7515 section 5.2] and [RFC 7519 section 7.2], then the claims as
/// [RFC 9068 section 4] has them. jsonwebtoken verifies the signature; its `Validation` is not
/// used, because it asks the system for the time.
///
/// [RFC 7515 section 5.2]: https://www.rfc-editor.org/rfc/rfc7515#section-5.2
/// [RFC 7519 section 7.2]: https://www.rfc-editor.org/rfc/rfc7519#section-7.2
/// [RFC 9068 section 4]: https://www.rfc-editor.org/rfc/rfc9068#section-4
pub fn verify<C: DeserializeOwned>(
    keyset: &Keyset,
    token: &str,
    expected: &Expected<'_>,
) -> Result<C, JwtError> {
    read(token, expected, |kid| {
        let key = keyset.find(kid)?;
        Some(VerificationKey {
            algorithm: key.algorithm(),
            decoding_key: key.decoding_key(),
            verified: Some(key.verified()),
        })
    })
}

/// The same for who knows no more of the keys than the issuer publishes, as an API does.
pub fn verify_as_published<C: DeserializeOwned>(
    keys: &PublishedKeys,
    token: &str,
    expected: &Expected<'_>,
) -> Result<C, JwtError> {
    read(token, expected, |kid| keys.find(kid))
}

fn read<'k, C: DeserializeOwned>(
    token: &str,
    expected: &Expected<'_>,
    find: impl FnOnce(&str) -> Option<VerificationKey<'k>>,
) -> Result<C, JwtError> {
    let parts = Parts::split(token)?;
    let header = Header::parse(&decode(parts.header)?)?;
    header.has_no_extension()?;
    header.is_of(expected.token_type)?;
    let key = find(header.key_id()?).ok_or(JwtError::UnknownKey)?;
    header.has_algorithm_of(key)?;
    parts.is_signed_by(key)?;

    let claims = Claims::parse(&decode(parts.payload)?)?;
    claims.are_of(expected.issuer)?;
    claims.are_for(expected.audience)?;
    claims.expire_after(expected.check_expiry.then_some(expected.now))?;
    claims.are_valid_from(expected.now)?;
    claims.into_expected()
}

/// The parts of a compact serialisation ([RFC 7515 section 7.1]).
///
/// [RFC 7515 section 7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1
pub(super) struct Parts<'a> {
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    pub(super) signed: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > LONGEST {
            return Err(JwtError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::NotThreeParts)?;
        let (header, payload) = signed.split_once('.').ok_or(JwtError::NotThreeParts)?;
        let parts = [header, payload, signature];
        if parts.iter().any(|part| part.is_empty()) || payload.contains('.') {
            return Err(JwtError::NotThreeParts);
        }
        Ok(Self {
            header,
            payload,
            signature,
            signed,
        })
    }

    fn is_signed_by(&self, key: VerificationKey<'_>) -> Result<(), JwtError> {
        // jsonwebtoken decodes it once more, just as strictly; here it is told apart for the log.
        decode(self.signature)?;
        let digest = verified::digest(self.signed, self.signature);
        if key.verified.is_some_and(|known| known.contains(&digest)) {
            return Ok(());
        }
        let signed = self.signed.as_bytes();
        let algorithm = named(key.algorithm);
        jsonwebtoken::crypto::verify(self.signature, signed, key.decoding_key, algorithm)
            .is_ok_and(|is_signature| is_signature)
            .then_some(())
            .ok_or(JwtError::WrongSignature)?;
        if let Some(known) = key.verified {
            known.insert(digest);
        }
        Ok(())
    }
}

/// Decodes base64url without padding. Only what an encoder would write is accepted: bits beyond
/// the last octet must be zero, so that no two texts are the same token.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| JwtError::NotBase64Url)
}

/// The JOSE header. `jku`, `jwk`, `x5u` and `x5c` are not even read: keys are ours or none.
struct Header(Map<String, Value>);

impl Header {
    fn parse(json: &[u8]) -> Result<Self, JwtError> {
        let members = serde_json::from_slice::<Members>(json);
        let members = members.map_err(|_| JwtError::MalformedHeader)?;
        Ok(Self(members.0))
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.0.get(member).and_then(Value::as_str)
    }

    fn has_no_extension(&self) -> Result<(), JwtError> {
        let has_crit = self.0.contains_key("crit");
        (!has_crit).then_some(()).ok_or(JwtError::CriticalExtension)
    }

    fn is_of(&self, token_type: TokenType) -> Result<(), JwtError> {
        let is_of_it = self.text("typ").is_some_and(|typ| token_type.accepts(typ));
        is_of_it.then_some(()).ok_or(JwtError::WrongType)
    }

    fn key_id(&self) -> Result<&str, JwtError> {
        self.text("kid").ok_or(JwtError::NoKeyId)
    }

    fn has_algorithm_of(&self, key: VerificationKey<'_>) -> Result<(), JwtError> {
        let is_its = self.text("alg") == Some(key.algorithm.as_str());
        is_its.then_some(()).ok_or(JwtError::WrongAlgorithm)
    }
}

/// The claims, once the signature is known to be ours.
struct Claims(Map<String, Value>);

impl Claims {
    fn parse(json: &[u8]) -> Result<Self, JwtError> {
        let members = serde_json::from_slice::<Members>(json);
        let members = members.map_err(|_| JwtError::MalformedClaims)?;
        Ok(Self(members.0))
    }

    fn are_of(&self, issuer: &str) -> Result<(), JwtError> {
        let is_issuer = self.0.get("iss").and_then(Value::as_str) == Some(issuer);
        is_issuer.then_some(()).ok_or(JwtError::WrongIssuer)
    }

    fn are_for(&self, audience: Option<&str>) -> Result<(), JwtError> {
        let Some(audience) = audience else {
            return Ok(());
        };
        let names_it = match self.0.get("aud") {
            Some(Value::String(only)) => only == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one == audience),
            _ => false,
        };
        names_it.then_some(()).ok_or(JwtError::WrongAudience)
    }

    /// `exp` must always be there; it must be past `now` only where that is given.
    fn expire_after(&self, now: Option<Timestamp>) -> Result<(), JwtError> {
        let exp = self.0.get("exp").and_then(Value::as_i64);
        let expires_at = exp.map(Timestamp).ok_or(JwtError::MalformedExpiry)?;
        let is_over = now.is_some_and(|now| now >= expires_at);
        (!is_over).then_some(()).ok_or(JwtError::Expired)
    }

    fn are_valid_from(&self, now: Timestamp) -> Result<(), JwtError> {
        let Some(nbf) = self.0.get("nbf") else {
            return Ok(());
        };
        let valid_from = nbf.as_i64().map(Timestamp);
        let has_begun = valid_from.ok_or(JwtError::MalformedNotBefore)? <= now;
        has_begun.then_some(()).ok_or(JwtError::NotYetValid)
    }

    fn into_expected<C: DeserializeOwned>(self) -> Result<C, JwtError> {
        serde_json::from_value(Value::Object(self.0)).map_err(|_| JwtError::UnexpectedClaims)
    }
}

/// A JSON object whose members have different names. Of two that have the same, readers differ
/// in which they believe ([RFC 7515 section 4], [RFC 7519 section 4]).
///
/// [RFC 7515 section 4]: https://www.rfc-editor.org/rfc/rfc7515#section-4
/// [RFC 7519 section 4]: https://www.rfc-editor.org/rfc/rfc7519#section-4
pub(super) struct Members(pub(super) Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Distinct;

        impl<'de> Visitor<'de> for Distinct {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with distinct members")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Distinct)
    }
}

/// No token of ours comes near; what is longer is not worth decoding.
const LONGEST: usize = 16 * 1024;

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "jwt_claims_tests.rs"]
mod claims_tests;
