//! A host with its port: what a connection is made to ([RFC 3986 section 3.2]).
//!
//! [RFC 3986 section 3.2]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A host and a port, as an operator lists them: `intranet.example:8443`, `10.0.0.7:443`,
/// `[::1]:9000`. Two that are written differently and mean the same are equal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authority {
    host: Host<String>,
    port: u16,
}

/// A text that is not a host and a port.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a host and a port, such as intranet.example:8443")]
pub struct AuthorityError;

impl Authority {
    /// The host and port that `url` leads to.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        Some(Self {
            host: url.host()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// Whether the host is the machine itself: `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        }
    }
}

impl FromStr for Authority {
    type Err = AuthorityError;

    fn from_str(text: &str) -> Result<Self, AuthorityError> {
        let (host, port) = text.rsplit_once(':').ok_or(AuthorityError)?;
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port: u16 = port.parse().map_err(|_| AuthorityError)?;
        let host = Host::parse(host).map_err(|_| AuthorityError)?;
        // The URL parser lets a name have characters that no host has; `*` looks like a pattern.
        let is_name = |name: &String| {
            let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            name.bytes().all(is_usual)
        };
        if !is_number || port == 0 || matches!(&host, Host::Domain(name) if !is_name(name)) {
            return Err(AuthorityError);
        }
        Ok(Self { host, port })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_and_a_port() {
        for (text, expected) in [
            ("intranet.example:8443", Some("intranet.example:8443")),
            ("INTRANET.example:8443", Some("intranet.example:8443")),
            ("10.0.0.7:443", Some("10.0.0.7:443")),
            ("0x7f.1:443", Some("127.0.0.1:443")),
            ("[::1]:9000", Some("[::1]:9000")),
            ("intranet.example", None),
            ("intranet.example:", None),
            ("intranet.example:0", None),
            ("intranet.example:+1", None),
            ("intranet.example:65536", None),
            ("https://intranet.example:443", None),
            ("a@intranet.example:443", None),
            ("*.example:443", None),
            (":443", None),
            ("::1:443", None),
        ] {
            let parsed = text.parse::<Authority>().ok();
            let shown = parsed.as_ref().map(ToString::to_string);
            assert_eq!(shown.as_deref(), expected, "{text}");
            let url = format!("https://{text}/path?query");
            if let Some(parsed) = parsed {
                let url = Url::parse(&url).unwrap();
                assert_eq!(Authority::of(&url), Some(parsed), "{text}");
            }
        }
    }

    #[test]
    fn the_machine_itself_is_known_by_its_names() {
        for (text, expected) in [
            ("localhost:1", true),
            ("app.localhost:1", true),
            ("127.8.9.1:1", true),
            ("[::1]:1", true),
            ("localhost.example:1", false),
            ("10.0.0.1:1", false),
        ] {
            let authority: Authority = text.parse().unwrap();
            assert_eq!(authority.is_loopback(), expected, "{text}");
        }
    }
}
