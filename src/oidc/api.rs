//! The APIs that tokens are for, and how a client names the one that it means
//! ([RFC 8707], Resource Indicators for OAuth 2.0).
//!
//! [RFC 8707]: https://www.rfc-editor.org/rfc/rfc8707

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use url::{Host, Url};

use super::claims::OneOrMany;
use super::client::Client;
use super::client_metadata::AccessTokenFormat;
use super::parameters::Parameters;
use super::scope::{STANDARD, Scopes};
use super::signing_algorithm::SigningAlgorithm;

/// An API that an operator registered. Its identifier, which is the audience of its tokens, is its
/// key in [`Apis`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Api {
    /// The name to show to people.
    pub name: Option<String>,
    /// Who may ask for tokens for it.
    pub clients: ApiClients,
    /// Its scopes, each in words for the consent page.
    pub scopes: BTreeMap<String, String>,
    /// Whether every scope is one of its, beside the standard ones.
    pub has_any_scope: bool,
    /// The form of its tokens; without it, as the client's are.
    pub token_format: Option<AccessTokenFormat>,
    /// The lifetime of its tokens; without it, as the client's.
    pub token_lifetime: Option<Duration>,
    /// The algorithm that signs its tokens; without it, the client's.
    pub token_signing_alg: Option<SigningAlgorithm>,
    /// The clients that may introspect its tokens: what the API itself authenticates as.
    pub introspected_by: Vec<String>,
}

/// Who may ask for tokens for an API.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ApiClients {
    /// The clients that an operator registered with the API in `access_token_audience`.
    #[default]
    Listed,
    /// Every client, also those that register themselves.
    All,
}

/// The APIs that a provider issues tokens for, by their identifiers.
#[derive(Clone, Debug, Default)]
pub struct Apis {
    /// Those that an operator registered.
    pub registered: BTreeMap<String, Api>,
    /// Whether whatever listens on this machine is one, for every client and with every scope:
    /// for development.
    pub allows_loopback: bool,
}

/// A resource that a client may not ask for, or that is not there, or too many of them
/// ([RFC 8707 section 2], `invalid_target`).
///
/// [RFC 8707 section 2]: https://www.rfc-editor.org/rfc/rfc8707#section-2
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the resource is unknown, not for the client, not granted, or not one")]
pub struct InvalidTarget;

impl Api {
    /// Whether `scope` is one of its.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let is_standard = STANDARD.contains(&scope);
        self.scopes.contains_key(scope) || (self.has_any_scope && !is_standard)
    }
}

impl Apis {
    /// The API that is called `resource`, byte for byte.
    #[must_use]
    pub fn get(&self, resource: &str) -> Option<Cow<'_, Api>> {
        match self.registered.get(resource) {
            Some(api) => Some(Cow::Borrowed(api)),
            None if self.allows_loopback && is_loopback(resource) => Some(Cow::Owned(Api {
                clients: ApiClients::All,
                has_any_scope: true,
                ..Api::default()
            })),
            None => None,
        }
    }

    /// The API that is called `resource`, if `client` may ask for it.
    pub fn find(&self, resource: &str, client: &Client) -> Result<Cow<'_, Api>, InvalidTarget> {
        let api = self.get(resource).ok_or(InvalidTarget)?;
        let mut listed = client.metadata.access_token_audience.iter();
        let may = match api.clients {
            ApiClients::All => true,
            ApiClients::Listed => listed.any(|own| own == resource),
        };
        may.then_some(api).ok_or(InvalidTarget)
    }

    /// The resources that a request names, if `client` may ask for all of them
    /// ([RFC 8707 section 2.1]).
    ///
    /// [RFC 8707 section 2.1]: https://www.rfc-editor.org/rfc/rfc8707#section-2.1
    pub fn admit(&self, named: Vec<String>, client: &Client) -> Result<Vec<String>, InvalidTarget> {
        if named.len() > MOST {
            return Err(InvalidTarget);
        }
        for resource in &named {
            self.find(resource, client)?;
        }
        Ok(named)
    }

    /// Whether `scope` is one of `resources`'.
    #[must_use]
    pub fn have_scope(&self, resources: &[String], scope: &str, client: &Client) -> bool {
        resources.iter().any(|resource| {
            self.find(resource, client)
                .is_ok_and(|api| api.has_scope(scope))
        })
    }

    /// Every scope of `resources` that has words, for a request that names none.
    #[must_use]
    pub fn scopes_of(&self, resources: &[String]) -> Scopes {
        let apis = resources.iter().filter_map(|it| self.registered.get(it));
        let scopes = apis.flat_map(|api| api.scopes.keys().cloned());
        scopes.collect()
    }

    /// Whether `client_id` is what an API of `audience` authenticates as.
    #[must_use]
    pub fn are_introspected_by(&self, client_id: &str, audience: &OneOrMany) -> bool {
        let mut registered = self.registered.iter();
        registered.any(|(identifier, api)| {
            let is_its = api.introspected_by.iter().any(|own| own == client_id);
            is_its && audience.contains(identifier)
        })
    }

    /// The scopes of the APIs that every client may ask for.
    #[must_use]
    pub fn open_scopes(&self) -> Scopes {
        let open = self.registered.values();
        let open = open.filter(|api| api.clients == ApiClients::All);
        let scopes = open.flat_map(|api| api.scopes.keys().cloned());
        scopes.collect()
    }
}

/// The one resource that a token is to be for: what the request names, of what was granted. A token
/// is for one API and no other, so where several were granted one must be named
/// ([RFC 8707 section 2.2]).
///
/// [RFC 8707 section 2.2]: https://www.rfc-editor.org/rfc/rfc8707#section-2.2
pub fn target<'a>(
    granted: &'a [String],
    requested: &[String],
) -> Result<Option<&'a str>, InvalidTarget> {
    match (requested, granted) {
        ([], []) => Ok(None),
        ([], [only]) => Ok(Some(only)),
        ([one], _) => {
            let found = granted.iter().find(|own| *own == one);
            found.map(|own| Some(own.as_str())).ok_or(InvalidTarget)
        }
        _ => Err(InvalidTarget),
    }
}

/// The values of `resource`: the one parameter that may be sent more than once. One that is empty
/// counts as not sent.
#[must_use]
pub fn named(parameters: &Parameters) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for resource in parameters.get_all("resource") {
        if !resource.is_empty() && !named.iter().any(|own| own == resource) {
            named.push(resource.to_owned());
        }
    }
    named
}

/// Whether `text` can identify an API: an absolute URI without a fragment.
#[must_use]
pub fn is_identifier(text: &str) -> bool {
    let has_space = text.bytes().any(|byte| !byte.is_ascii_graphic());
    Url::parse(text).is_ok_and(|url| url.fragment().is_none()) && !has_space
}

fn is_loopback(resource: &str) -> bool {
    let Ok(url) = Url::parse(resource) else {
        return false;
    };
    let is_web = matches!(url.scheme(), "http" | "https");
    is_web
        && is_identifier(resource)
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

/// No client has a use for more in one request.
const MOST: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_resource_that_was_granted() {
        let list =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        for (granted, requested, expected) in [
            ("", "", Ok(None)),
            ("a:1", "", Ok(Some("a:1"))),
            ("a:1 b:1", "b:1", Ok(Some("b:1"))),
            ("a:1 b:1", "", Err(InvalidTarget)),
            ("a:1 b:1", "a:1 b:1", Err(InvalidTarget)),
            ("a:1", "b:1", Err(InvalidTarget)),
            ("", "a:1", Err(InvalidTarget)),
        ] {
            let granted = list(granted);
            let actual = target(&granted, &list(requested));
            assert_eq!(actual, expected, "{granted:?} {requested:?}");
        }
    }

    #[test]
    fn an_api_is_an_absolute_uri_without_a_fragment() {
        for (text, expected) in [
            ("https://mcp.example.com/mcp", true),
            ("urn:example:orders", true),
            ("https://mcp.example.com/#a", false),
            ("https://mcp.example.com/a b", false),
            ("/mcp", false),
            ("", false),
        ] {
            assert_eq!(is_identifier(text), expected, "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, expected) in [
            ("http://localhost:3000/mcp", true),
            ("http://127.0.0.1:3000/", true),
            ("http://[::1]/", true),
            ("http://localhost:3000/#a", false),
            ("http://localhost.example.com/", false),
            ("http://10.0.0.1/", false),
            ("ftp://localhost/", false),
        ] {
            assert_eq!(is_loopback(text), expected, "{text}");
        }
    }
}
