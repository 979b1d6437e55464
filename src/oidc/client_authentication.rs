//! What a client presents to authenticate ([RFC 6749 section 2.3], [OIDC Core section 9]).
//!
//! [RFC 6749 section 2.3]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3
//! [OIDC Core section 9]: https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::client_assertion;
use super::client_certificate::ClientCertificate;
use super::parameters::{Parameters, Repeated, decode};
use super::secret::Digest;

/// Who a client says it is, and how it shows it.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// The `client_id`, as presented.
    pub client_id: String,
    /// What shows that it is so.
    pub shown: Shown,
    /// Whether HTTP Basic was used, which a refusal must answer.
    pub by_basic: bool,
    /// The certificate of the connection that it uses, if it has one. It may authenticate the
    /// client, and what is issued can be bound to it.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// What a client shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Shown {
    /// Nothing in the request.
    Nothing,
    /// A secret, of which this is the digest.
    Secret(Digest),
    /// A JWT that it signed ([RFC 7523 section 2.2]), unread.
    ///
    /// [RFC 7523 section 2.2]: https://www.rfc-editor.org/rfc/rfc7523#section-2.2
    Assertion(String),
}

/// Why a request's credentials cannot be read, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CredentialsError {
    /// A parameter twice.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// An `Authorization` header that is not HTTP Basic with two form-encoded halves.
    #[error("the Authorization header is not of the form of HTTP Basic")]
    MalformedBasic,
    /// Two of HTTP Basic, a secret in the body and an assertion.
    #[error("the client used more than one way to authenticate")]
    SeveralMethods,
    /// A `client_assertion` without its type, or a type without assertion.
    #[error("of client_assertion and client_assertion_type only one is there")]
    HalfAnAssertion,
    /// A `client_assertion_type` that Keyfob does not have.
    #[error("the client_assertion_type is unknown")]
    UnknownAssertionType,
    /// Another `client_id` in the body than in the header.
    #[error("the client_id in the body is not that of the Authorization header")]
    ClientIdDiffers,
    /// No `client_id` anywhere.
    #[error("the client does not say who it is")]
    Missing,
}

impl ClientCredentials {
    /// Reads the credentials of a request from its `Authorization` header and its body.
    pub fn parse(
        authorization: Option<&[u8]>,
        body: &Parameters,
    ) -> Result<Self, CredentialsError> {
        let client_id = body.get("client_id")?;
        let client_secret = body.get("client_secret")?;
        let assertion = body.get("client_assertion")?;
        let assertion_type = body.get("client_assertion_type")?;
        let has_assertion = assertion.is_some() || assertion_type.is_some();
        if let Some(header) = authorization {
            let (id, secret) = basic(header).ok_or(CredentialsError::MalformedBasic)?;
            if client_secret.is_some() || has_assertion {
                return Err(CredentialsError::SeveralMethods);
            }
            if client_id.is_some_and(|client_id| client_id != id) {
                return Err(CredentialsError::ClientIdDiffers);
            }
            return Ok(Self {
                client_id: id,
                shown: Shown::Secret(Digest::of(&secret)),
                by_basic: true,
                certificate: None,
            });
        }
        if has_assertion {
            if client_secret.is_some() {
                return Err(CredentialsError::SeveralMethods);
            }
            let both = assertion.zip(assertion_type);
            let (assertion, assertion_type) = both.ok_or(CredentialsError::HalfAnAssertion)?;
            if assertion_type != client_assertion::JWT_BEARER {
                return Err(CredentialsError::UnknownAssertionType);
            }
            let client_id = client_id.map(str::to_owned);
            let client_id = client_id.or_else(|| client_assertion::claimed_subject(assertion));
            return Ok(Self {
                client_id: client_id.ok_or(CredentialsError::Missing)?,
                shown: Shown::Assertion(assertion.to_owned()),
                by_basic: false,
                certificate: None,
            });
        }
        Ok(Self {
            client_id: client_id.ok_or(CredentialsError::Missing)?.to_owned(),
            shown: client_secret.map_or(Shown::Nothing, |secret| Shown::Secret(Digest::of(secret))),
            by_basic: false,
            certificate: None,
        })
    }
}

/// The two halves of an HTTP Basic header, each form-decoded once ([RFC 6749 section 2.3.1]).
///
/// [RFC 6749 section 2.3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
fn basic(header: &[u8]) -> Option<(String, String)> {
    let header = std::str::from_utf8(header).ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((decode(id).ok()?, decode(secret).ok()?))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const TYPE: &str = client_assertion::JWT_BEARER;

    fn credentials(header: Option<&str>, body: &str) -> Result<String, CredentialsError> {
        let body = Parameters::parse(body).unwrap();
        let parsed = ClientCredentials::parse(header.map(str::as_bytes), &body)?;
        Ok(parsed.client_id)
    }

    #[test]
    fn credentials_are_read_one_way_only() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let basic = header("a%3Ab:s%2B+");
        for (authorization, body, expected) in [
            (None, "client_id=a&client_secret=s", Ok("a")),
            (None, "client_id=a", Ok("a")),
            (None, "", Err(CredentialsError::Missing)),
            (Some(&*basic), "", Ok("a:b")),
            (Some(&*basic), "client_id=a%3Ab", Ok("a:b")),
            (
                Some(&*basic),
                "client_id=c",
                Err(CredentialsError::ClientIdDiffers),
            ),
            (
                Some(&*basic),
                "client_secret=s",
                Err(CredentialsError::SeveralMethods),
            ),
            (
                Some(&*basic),
                "client_assertion=x",
                Err(CredentialsError::SeveralMethods),
            ),
            (Some("Basic !"), "", Err(CredentialsError::MalformedBasic)),
            (
                Some("Basic YQ=="),
                "",
                Err(CredentialsError::MalformedBasic),
            ),
            (
                Some("Bearer abc"),
                "",
                Err(CredentialsError::MalformedBasic),
            ),
            (
                Some(&*header("a:%zz")),
                "",
                Err(CredentialsError::MalformedBasic),
            ),
            (
                Some(&*header("a:\0")),
                "",
                Err(CredentialsError::MalformedBasic),
            ),
        ] {
            let actual = credentials(authorization, body);
            assert_eq!(
                actual.as_deref().map_err(|error| *error),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn an_assertion_is_read_with_its_type_and_alone() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"app"}"#);
        let assertion = |more: &str| {
            format!("client_assertion=e30.{claims}.x&client_assertion_type={TYPE}{more}")
        };
        for (body, expected) in [
            (&*assertion(""), Ok("app")),
            (&*assertion("&client_id=a"), Ok("a")),
            (
                &*assertion("&client_secret=s"),
                Err(CredentialsError::SeveralMethods),
            ),
            (
                "client_id=a&client_assertion=x",
                Err(CredentialsError::HalfAnAssertion),
            ),
            (
                &*format!("client_id=a&client_assertion_type={TYPE}"),
                Err(CredentialsError::HalfAnAssertion),
            ),
            (
                "client_id=a&client_assertion=x&client_assertion_type=saml",
                Err(CredentialsError::UnknownAssertionType),
            ),
            (
                &*format!("client_assertion=x&client_assertion_type={TYPE}"),
                Err(CredentialsError::Missing),
            ),
        ] {
            let actual = credentials(None, body);
            assert_eq!(
                actual.as_deref().map_err(|error| *error),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn a_secret_in_the_header_is_decoded_once() {
        let header = format!("Basic {}", STANDARD.encode("a:s%2B+%2525"));
        let parsed =
            ClientCredentials::parse(Some(header.as_bytes()), &Parameters::default()).unwrap();
        assert_eq!(parsed.shown, Shown::Secret(Digest::of("s+ %25")));
    }
}
