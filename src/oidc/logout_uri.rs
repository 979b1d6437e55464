//! The URIs at which clients are told that a session has ended ([Back-Channel Logout section 2.2],
//! [Front-Channel Logout section 2]).
//!
//! [Back-Channel Logout section 2.2]: https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRegistration
//! [Front-Channel Logout section 2]: https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout

use serde::{Deserialize, Deserializer, Serialize, de};
use url::{Host, Url};

use super::authorization_response::with_query;
use super::client_metadata::ClientMetadata;
use super::issuer::Issuer;
use super::session::SessionId;

/// An absolute https URI without a fragment, or an http one of this machine. A query is kept.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct LogoutUri(String);

/// Why a text is not a logout URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LogoutUriError {
    /// Not an absolute URL with a host.
    #[error("it must be an absolute URL")]
    NotAbsolute,
    /// Neither https nor http on a loopback host.
    #[error("it must be https, or http on a loopback host")]
    Scheme,
    /// Has a fragment.
    #[error("it must not have a fragment")]
    Fragment,
    /// Has a user name or a password.
    #[error("it must not have a user name or a password")]
    UserInformation,
    /// Has characters that readers of URLs disagree about.
    #[error("it must consist of at most 2048 of the characters of RFC 3986")]
    Characters,
}

impl LogoutUri {
    /// Reads a URI that is to be registered.
    pub fn parse(text: &str) -> Result<Self, LogoutUriError> {
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && !br#"\"<>^`{|}"#.contains(&byte);
        if text.len() > LONGEST || !text.bytes().all(is_allowed) {
            return Err(LogoutUriError::Characters);
        }
        let url = Url::parse(text).map_err(|_| LogoutUriError::NotAbsolute)?;
        let is_loopback = match url.host() {
            None => return Err(LogoutUriError::NotAbsolute),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
        };
        if url.scheme() != "https" && (url.scheme() != "http" || !is_loopback) {
            return Err(LogoutUriError::Scheme);
        }
        if url.fragment().is_some() {
            return Err(LogoutUriError::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(LogoutUriError::UserInformation);
        }
        Ok(Self(text.to_owned()))
    }

    /// The URI as registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port, as browsers and Content-Security-Policies write them.
    #[must_use]
    pub fn origin(&self) -> String {
        Url::parse(&self.0).map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
    }

    /// The URI that a browser loads to tell the client that `session` has ended: with `iss` and
    /// `sid` where the client asks for them ([Front-Channel Logout section 3]).
    ///
    /// [Front-Channel Logout section 3]: https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout
    #[must_use]
    pub fn in_front_channel(
        &self,
        session_required: bool,
        issuer: &Issuer,
        session: SessionId,
    ) -> String {
        if !session_required {
            return self.0.clone();
        }
        let fields = [("iss", issuer.to_string()), ("sid", session.to_string())];
        with_query(&self.0, &fields)
    }
}

impl<'de> Deserialize<'de> for LogoutUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .map_err(|error| de::Error::custom(format!("logout URI {text:?}: {error}")))
    }
}

/// Whether the front-channel logout URI, if there is one, is on the site of one of the redirect
/// URIs: the same scheme, host and port ([Front-Channel Logout section 2], MUST).
///
/// [Front-Channel Logout section 2]: https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout
#[must_use]
pub fn front_channel_is_on_own_site(metadata: &ClientMetadata) -> bool {
    metadata.frontchannel_logout_uri.as_ref().is_none_or(|uri| {
        let origin = uri.origin();
        let mut redirect_uris = metadata.redirect_uris.iter();
        redirect_uris.any(|redirect_uri| redirect_uri.is_of_origin(&origin))
    })
}

const LONGEST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_uri_is_https_or_on_this_machine_and_has_no_fragment() {
        for (text, expected) in [
            ("https://rp.test/logout", None),
            ("https://rp.test/logout?tenant=a", None),
            ("https://rp.test:8443", None),
            ("http://localhost:3000/logout", None),
            ("http://app.localhost/logout", None),
            ("http://127.0.0.1:3000/logout", None),
            ("http://[::1]/logout", None),
            ("http://rp.test/logout", Some(LogoutUriError::Scheme)),
            ("http://localhost.rp.test/", Some(LogoutUriError::Scheme)),
            ("http://10.0.0.1/logout", Some(LogoutUriError::Scheme)),
            ("ftp://rp.test/logout", Some(LogoutUriError::Scheme)),
            ("javascript:alert(1)", Some(LogoutUriError::NotAbsolute)),
            ("com.example.app:/logout", Some(LogoutUriError::NotAbsolute)),
            ("/logout", Some(LogoutUriError::NotAbsolute)),
            ("https://rp.test/#x", Some(LogoutUriError::Fragment)),
            ("https://rp.test/#", Some(LogoutUriError::Fragment)),
            (
                "https://rp.test@evil.test/",
                Some(LogoutUriError::UserInformation),
            ),
            ("https://rp.test/\"'>", Some(LogoutUriError::Characters)),
            ("https://rp.test/a b", Some(LogoutUriError::Characters)),
            ("https://rp.test/é", Some(LogoutUriError::Characters)),
        ] {
            assert_eq!(LogoutUri::parse(text).err(), expected, "{text}");
        }
        let long = format!("https://rp.test/{}", "a".repeat(2048));
        assert_eq!(LogoutUri::parse(&long), Err(LogoutUriError::Characters));
    }

    #[test]
    fn a_front_channel_logout_uri_is_on_the_site_of_a_redirect_uri() {
        let metadata = |redirect_uri: &str, logout_uri: &str| ClientMetadata {
            redirect_uris: vec![redirect_uri.parse().unwrap()],
            frontchannel_logout_uri: Some(LogoutUri::parse(logout_uri).unwrap()),
            ..ClientMetadata::default()
        };
        for (redirect_uri, logout_uri, expected) in [
            ("https://rp.test/cb", "https://rp.test/logout", true),
            ("https://rp.test/cb", "https://rp.test:443/logout", true),
            ("http://localhost/cb", "http://localhost:3000/logout", true),
            ("https://rp.test/cb", "https://rp.test:8443/logout", false),
            ("https://rp.test/cb", "https://www.rp.test/logout", false),
            ("http://localhost/cb", "http://127.0.0.1/logout", false),
            ("com.example.app:/cb", "https://rp.test/logout", false),
        ] {
            let actual = front_channel_is_on_own_site(&metadata(redirect_uri, logout_uri));
            assert_eq!(actual, expected, "{redirect_uri} {logout_uri}");
        }
        assert!(front_channel_is_on_own_site(&ClientMetadata::default()));
    }

    #[test]
    fn a_query_of_the_uri_is_kept_beside_iss_and_sid() {
        let issuer: Issuer = "https://login.test".parse().unwrap();
        let session = SessionId(uuid::Uuid::nil());
        let uri = LogoutUri::parse("https://rp.test/logout?a=b").unwrap();
        assert_eq!(
            uri.in_front_channel(true, &issuer, session),
            "https://rp.test/logout?a=b&iss=https%3A%2F%2Flogin.test\
             &sid=00000000-0000-0000-0000-000000000000"
        );
        assert_eq!(uri.in_front_channel(false, &issuer, session), uri.as_str());
    }
}
