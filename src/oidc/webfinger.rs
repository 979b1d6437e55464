//! WebFinger: finding the issuer of somebody's e-mail address ([RFC 7033],
//! [OIDC Discovery section 2]).
//!
//! **Invariant:** the answer depends on the domain alone. Nobody learns who has an account.
//!
//! [RFC 7033]: https://www.rfc-editor.org/rfc/rfc7033
//! [OIDC Discovery section 2]: https://openid.net/specs/openid-connect-discovery-1_0.html#IssuerDiscovery

use serde::Serialize;
use url::Url;

use super::issuer::Issuer;
use super::parameters::Parameters;

/// Where the answer is, at the root of a host ([RFC 7033 section 10.1]).
///
/// [RFC 7033 section 10.1]: https://www.rfc-editor.org/rfc/rfc7033#section-10.1
pub const PATH: &str = "/.well-known/webfinger";

/// The relation of somebody to their issuer ([OIDC Discovery section 2]).
///
/// [OIDC Discovery section 2]: https://openid.net/specs/openid-connect-discovery-1_0.html#IssuerDiscovery
pub const ISSUER_RELATION: &str = "http://openid.net/specs/connect/1.0/issuer";

/// What is known of a resource ([RFC 7033 section 4.4]).
///
/// [RFC 7033 section 4.4]: https://www.rfc-editor.org/rfc/rfc7033#section-4.4
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ResourceDescriptor {
    /// The resource as it was asked for.
    pub subject: String,
    /// What it is related to.
    pub links: Vec<Link>,
}

/// A relation.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Link {
    /// Which.
    pub rel: &'static str,
    /// To what.
    pub href: String,
}

/// Why nothing is said of a resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WebFingerError {
    /// No `resource`, two, or one that is not a URI ([RFC 7033 section 4.2]).
    ///
    /// [RFC 7033 section 4.2]: https://www.rfc-editor.org/rfc/rfc7033#section-4.2
    #[error("the request has no resource, or one that is not a URI")]
    Malformed,
    /// A resource of a domain whose people sign in elsewhere.
    #[error("nothing is known of this resource")]
    UnknownResource,
}

/// What is known of the resource in `query`: that the people of `domains`, and of the issuer's own
/// host, sign in at `issuer`.
///
/// # Errors
///
/// The query makes no sense, or nothing is known.
pub fn describe(
    query: &Parameters,
    issuer: &Issuer,
    domains: &[String],
) -> Result<ResourceDescriptor, WebFingerError> {
    let resource = query.get("resource").ok().flatten();
    let resource = resource.ok_or(WebFingerError::Malformed)?;
    let host = host(resource)?;
    let is_own = |domain: &str| domain.eq_ignore_ascii_case(&host);
    if !is_own(issuer.host()) && !domains.iter().any(|domain| is_own(domain)) {
        return Err(WebFingerError::UnknownResource);
    }
    // RFC 7033 section 4.3: whoever names relations gets no others.
    let mut relations = query.get_all("rel").peekable();
    let is_asked_for =
        relations.peek().is_none() || relations.any(|relation| relation == ISSUER_RELATION);
    let link = Link {
        rel: ISSUER_RELATION,
        href: issuer.to_string(),
    };
    Ok(ResourceDescriptor {
        subject: resource.to_owned(),
        links: is_asked_for.then_some(link).into_iter().collect(),
    })
}

/// The host of `acct:somebody@host` ([RFC 7565]) or of a web address.
///
/// [RFC 7565]: https://www.rfc-editor.org/rfc/rfc7565
fn host(resource: &str) -> Result<String, WebFingerError> {
    let url = Url::parse(resource).map_err(|_| WebFingerError::Malformed)?;
    match url.scheme() {
        "acct" => {
            let account = resource.split_once(':').map(|(_, account)| account);
            let parts = account.and_then(|account| account.rsplit_once('@'));
            match parts {
                Some((user, host)) if !user.is_empty() && !host.is_empty() => Ok(host.to_owned()),
                Some(_) | None => Err(WebFingerError::Malformed),
            }
        }
        "http" | "https" => {
            let host = url.host_str().map(str::to_owned);
            host.ok_or(WebFingerError::Malformed)
        }
        _ => Err(WebFingerError::UnknownResource),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(query: &str) -> Result<usize, WebFingerError> {
        let issuer: Issuer = "https://login.example.com/tenant".parse().unwrap();
        let domains = ["example.com".to_owned()];
        let query = Parameters::parse(query).unwrap();
        let descriptor = describe(&query, &issuer, &domains)?;
        for link in &descriptor.links {
            assert_eq!(link.href, issuer.as_str());
        }
        Ok(descriptor.links.len())
    }

    #[test]
    fn the_domain_alone_decides_what_webfinger_answers() {
        let unknown = Err(WebFingerError::UnknownResource);
        let malformed = Err(WebFingerError::Malformed);
        let rel = "http%3A%2F%2Fopenid.net%2Fspecs%2Fconnect%2F1.0%2Fissuer";
        for (query, expected) in [
            ("resource=acct:alice@example.com".to_owned(), Ok(1)),
            (
                format!("resource=acct%3Anobody%40example.com&rel={rel}"),
                Ok(1),
            ),
            (
                format!("rel=avatar&rel={rel}&resource=acct:a@example.com"),
                Ok(1),
            ),
            ("resource=acct:a@EXAMPLE.com&rel=avatar".to_owned(), Ok(0)),
            (
                "resource=https://login.example.com/tenant".to_owned(),
                Ok(1),
            ),
            ("resource=https://example.com:8443/alice".to_owned(), Ok(1)),
            ("resource=acct:carol%2540mail@example.com".to_owned(), Ok(1)),
            (
                "resource=acct:alice@example.com.evil.test".to_owned(),
                unknown,
            ),
            (
                "resource=acct:alice@example.com@evil.test".to_owned(),
                unknown,
            ),
            ("resource=acct:alice@sub.example.com".to_owned(), unknown),
            (
                "resource=https://example.com@evil.test/".to_owned(),
                unknown,
            ),
            ("resource=urn:isbn:1".to_owned(), unknown),
            (String::new(), malformed),
            ("resource=".to_owned(), malformed),
            ("resource=alice".to_owned(), malformed),
            ("resource=acct:example.com".to_owned(), malformed),
            ("resource=acct:@example.com".to_owned(), malformed),
            (
                "resource=acct:a@example.com&resource=acct:b@example.com".to_owned(),
                malformed,
            ),
        ] {
            assert_eq!(links(&query), expected, "{query}");
        }
    }
}
