//! What a client presents to authenticate ([RFC 6749 section 2.3], [OIDC Core section 9]).
//!
//! [RFC 6749 section 2.3]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3
//! [OIDC Core section 9]: https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::parameters::{Parameters, Repeated, decode};
use super::secret::Digest;

/// Who a client says it is, and how it shows it.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// The `client_id`, as presented.
    pub client_id: String,
    /// The digest of the presented secret; none from a public client.
    pub secret: Option<Digest>,
    /// Whether HTTP Basic was used, which a refusal must answer.
    pub by_basic: bool,
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
    /// Secrets by HTTP Basic and in the body, or a method that Keyfob does not have.
    #[error("the client used more than one way to authenticate, or an unknown one")]
    SeveralMethods,
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
        let has_assertion = body.has("client_assertion") || body.has("client_assertion_type");
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
                secret: Some(Digest::of(&secret)),
                by_basic: true,
            });
        }
        if has_assertion {
            return Err(CredentialsError::SeveralMethods);
        }
        Ok(Self {
            client_id: client_id.ok_or(CredentialsError::Missing)?.to_owned(),
            secret: client_secret.map(Digest::of),
            by_basic: false,
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
    use super::*;

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
    fn a_secret_in_the_header_is_decoded_once() {
        let header = format!("Basic {}", STANDARD.encode("a:s%2B+%2525"));
        let parsed =
            ClientCredentials::parse(Some(header.as_bytes()), &Parameters::default()).unwrap();
        assert_eq!(parsed.secret, Some(Digest::of("s+ %25")));
    }
}
