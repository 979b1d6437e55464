//! Where a request may go, as far as the URI says it.

use std::net::IpAddr;

use url::{Host, Url};

use super::OutboundError;
use super::address::is_public;
use crate::oidc::authority::Authority;
use crate::oidc::policy::OutboundPolicy;

/// A URI that may be asked, and how far its name may lead.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) reach: Reach,
}

/// Which addresses a name may stand for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    /// Those of the Internet, and of this machine where the policy allows it.
    Internet,
    /// Any: the operator listed this host and port.
    Anywhere,
}

impl Target {
    /// Reads `uri`, and refuses what no policy allows.
    pub(super) fn parse(uri: &str, policy: &OutboundPolicy) -> Result<Self, OutboundError> {
        let url = Url::parse(uri).map_err(|_| OutboundError::NotAUri)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(OutboundError::Scheme);
        }
        let authority = Authority::of(&url).ok_or(OutboundError::NotAUri)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::UserInformation);
        }
        let is_listed = policy.allow.contains(&authority);
        let is_own_machine = authority.is_loopback();
        // In the clear, a request stays within this machine.
        let may_be_http = is_own_machine && (is_listed || policy.allows_loopback);
        if url.scheme() == "http" && !may_be_http {
            return Err(OutboundError::Scheme);
        }
        if is_listed {
            let reach = Reach::Anywhere;
            return Ok(Self { url, reach });
        }
        // An address in the URI is connected to without being looked up, so it is judged here.
        let literal = match authority.host() {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        };
        if literal.is_some_and(|address| !is_within_reach(address, policy.allows_loopback)) {
            return Err(OutboundError::Address);
        }
        let is_local_http = url.scheme() == "http" && authority.port() == 80;
        if authority.port() != 443 && authority.port() < FIRST_USER_PORT && !is_local_http {
            return Err(OutboundError::Port(authority.port()));
        }
        let reach = Reach::Internet;
        Ok(Self { url, reach })
    }
}

/// Whether a host that is not listed may have this address.
pub(super) fn is_within_reach(address: IpAddr, allows_loopback: bool) -> bool {
    is_public(address) || (allows_loopback && address.is_loopback())
}

/// Below this port are mail, shells and the like, which shall not be talked to in HTTP.
const FIRST_USER_PORT: u16 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str, policy: &OutboundPolicy) -> Result<Reach, OutboundError> {
        Target::parse(uri, policy).map(|target| target.reach)
    }

    #[test]
    fn only_https_on_the_internet_may_be_asked() {
        let policy = OutboundPolicy::default();
        for uri in [
            "https://client.example/jwks",
            "https://client.example:8443/jwks",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            // A name is judged when it is looked up.
            "https://localhost/",
        ] {
            assert_eq!(parse(uri, &policy).unwrap(), Reach::Internet, "{uri}");
        }
        for (uri, expected) in [
            ("", "NotAUri"),
            ("client.example/jwks", "NotAUri"),
            ("/jwks", "NotAUri"),
            ("https://", "NotAUri"),
            ("http://client.example/", "Scheme"),
            ("http://127.0.0.1/", "Scheme"),
            ("http://localhost:8080/", "Scheme"),
            ("file:///etc/passwd", "Scheme"),
            ("gopher://client.example/", "Scheme"),
            ("ftp://client.example/", "Scheme"),
            ("data:application/json,{}", "Scheme"),
            ("https://u@client.example/", "UserInformation"),
            ("https://u:p@client.example/", "UserInformation"),
            ("https://client.example:22/", "Port(22)"),
            ("https://client.example:25/", "Port(25)"),
            ("https://client.example:80/", "Port(80)"),
            ("https://127.0.0.1/", "Address"),
            ("https://127.1/", "Address"),
            ("https://0x7f000001/", "Address"),
            ("https://2130706433/", "Address"),
            ("https://0177.0.0.1/", "Address"),
            ("https://127.0.0.1./", "Address"),
            ("https://%31%32%37.0.0.1/", "Address"),
            ("https://①②⑦.0.0.1/", "Address"),
            ("https://0/", "Address"),
            ("https://10.0.0.1/", "Address"),
            ("https://169.254.169.254/latest/meta-data", "Address"),
            ("https://[::1]/", "Address"),
            ("https://[::ffff:127.0.0.1]/", "Address"),
            ("https://[::ffff:7f00:1]/", "Address"),
            ("https://[::127.0.0.1]/", "Address"),
            ("https://[64:ff9b::7f00:1]/", "Address"),
            ("https://[2002:7f00:1::]/", "Address"),
            ("https://[fd00::1]/", "Address"),
            ("https://[fe80::1]/", "Address"),
        ] {
            let refused = parse(uri, &policy).unwrap_err();
            assert_eq!(format!("{refused:?}"), expected, "{uri}");
        }
    }

    #[test]
    fn what_the_operator_lists_may_be_anywhere_but_not_in_the_clear() {
        let listed = ["suite.test:8443", "127.0.0.1:9000", "10.0.0.7:22"];
        let policy = OutboundPolicy {
            allow: listed.map(|it| it.parse().unwrap()).to_vec(),
            ..OutboundPolicy::default()
        };
        for uri in [
            "https://suite.test:8443/jwks",
            "https://127.0.0.1:9000/",
            "http://127.0.0.1:9000/",
            "https://10.0.0.7:22/",
        ] {
            assert_eq!(parse(uri, &policy).unwrap(), Reach::Anywhere, "{uri}");
        }
        assert_eq!(
            parse("https://suite.test/", &policy).unwrap(),
            Reach::Internet
        );
        for uri in [
            "http://suite.test:8443/",
            "http://127.0.0.1:9001/",
            "https://127.0.0.1:9001/",
            "https://10.0.0.7:443/",
        ] {
            assert!(parse(uri, &policy).is_err(), "{uri}");
        }
    }

    #[test]
    fn in_development_this_machine_may_be_asked_and_no_other_private_one() {
        let policy = OutboundPolicy {
            allows_loopback: true,
            ..OutboundPolicy::default()
        };
        for uri in [
            "http://localhost:3000/",
            "http://localhost/",
            "http://[::1]:3000/",
            "https://127.0.0.1:3000/",
        ] {
            assert_eq!(parse(uri, &policy).unwrap(), Reach::Internet, "{uri}");
        }
        for uri in [
            "http://client.example/",
            "https://10.0.0.1/",
            "http://10.0.0.1:3000/",
            "https://localhost:22/",
            "https://[::ffff:127.0.0.1]/",
        ] {
            assert!(parse(uri, &policy).is_err(), "{uri}");
        }
    }
}
