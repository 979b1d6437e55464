//! Shows how a redirect URI differs from the registered ones.

/// A redirect URI that is not registered, beside those that are.
#[derive(Clone, Debug)]
pub struct RedirectUris<'a> {
    /// What was asked for, the part that no registered one has marked.
    pub requested: Vec<DiffSegment>,
    /// What is registered, the nearest first, the part that was not asked for marked in each.
    pub registered: Vec<Vec<DiffSegment>>,
    /// In dev, what the form that registers it posts to `/dev/redirect-uris`.
    pub registration: Option<RedirectUriRegistration<'a>>,
}

/// The fields of the form that registers a redirect URI.
#[derive(Clone, Copy, Debug)]
pub struct RedirectUriRegistration<'a> {
    /// The client to register it for.
    pub client_id: &'a str,
    /// The redirect URI as it was asked for.
    pub redirect_uri: &'a str,
    /// The parameters of the authorization request, to go on with it.
    pub authorization_request: &'a str,
    /// The token against forged requests.
    pub csrf: &'a str,
}

/// A piece of a URI.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DiffSegment {
    /// Its text; empty where something is missing.
    pub text: String,
    /// Whether it is what differs.
    pub differs: bool,
}

impl<'a> RedirectUris<'a> {
    /// Compares `requested` with each of `registered`, scheme with scheme, host with host and so
    /// on, except the ports of two loopback addresses, which are free ([RFC 8252 section 7.3]).
    ///
    /// [RFC 8252 section 7.3]: https://www.rfc-editor.org/rfc/rfc8252#section-7.3
    #[must_use]
    pub fn compare(
        requested: &str,
        registered: &[&str],
        registration: Option<RedirectUriRegistration<'a>>,
    ) -> Self {
        let mut nearest_first = registered.to_vec();
        nearest_first.sort_by_key(|own| distance(requested, own));
        let nearest = nearest_first.first().copied().unwrap_or(requested);
        Self {
            requested: segments(requested, nearest),
            registered: nearest_first
                .iter()
                .map(|own| segments(own, requested))
                .collect(),
            registration,
        }
    }
}

/// The parts of a URI, as it is written: together they are the whole text.
struct Parts<'u> {
    scheme: &'u str,
    host: &'u str,
    port: &'u str,
    rest: &'u str,
}

impl<'u> Parts<'u> {
    fn of(uri: &'u str) -> Self {
        let scheme = uri.find("://").map_or(0, |at| at + "://".len());
        let (scheme, after) = uri.split_at(scheme);
        let authority = if scheme.is_empty() {
            0
        } else {
            after.find(['/', '?', '#']).unwrap_or(after.len())
        };
        let (authority, rest) = after.split_at(authority);
        let host = match authority.rfind([':', ']']) {
            Some(at) if authority.as_bytes().get(at) == Some(&b':') => at,
            _ => authority.len(),
        };
        let (host, port) = authority.split_at(host);
        Self {
            scheme,
            host,
            port,
            rest,
        }
    }

    fn is_loopback(&self) -> bool {
        self.scheme == "http://" && matches!(self.host, "localhost" | "127.0.0.1" | "[::1]")
    }

    /// Each part beside the same part of `other`.
    fn beside(&self, other: &Parts<'u>) -> [(&'u str, &'u str); 4] {
        let any_port = self.is_loopback() && other.is_loopback();
        let port = if any_port { self.port } else { other.port };
        [
            (self.scheme, other.scheme),
            (self.host, other.host),
            (self.port, port),
            (self.rest, other.rest),
        ]
    }
}

/// How many bytes of either text the other lacks.
fn distance(one: &str, other: &str) -> usize {
    let parts = Parts::of(one).beside(&Parts::of(other));
    let lacking = parts.iter().map(|(own, other)| {
        let (start, end) = shared(own, other);
        own.len() + other.len() - 2 * (start + end)
    });
    lacking.sum()
}

/// `text` with what sets it apart from `other` marked.
fn segments(text: &str, other: &str) -> Vec<DiffSegment> {
    let mut segments: Vec<DiffSegment> = Vec::new();
    for (own, other) in Parts::of(text).beside(&Parts::of(other)) {
        let (start, end) = shared(own, other);
        let end = own.len() - end;
        for (text, differs) in [
            (&own[..start], false),
            (&own[start..end], own != other),
            (&own[end..], false),
        ] {
            match segments.last_mut() {
                Some(last) if last.differs == differs => last.text.push_str(text),
                _ if text.is_empty() && !differs => {}
                _ => segments.push(DiffSegment {
                    text: text.to_owned(),
                    differs,
                }),
            }
        }
    }
    segments
}

/// The lengths, in bytes, of the start and of the end that two texts share; they do not overlap.
fn shared(one: &str, other: &str) -> (usize, usize) {
    let start: usize = one
        .chars()
        .zip(other.chars())
        .take_while(|(left, right)| left == right)
        .map(|(left, _)| left.len_utf8())
        .sum();
    let end = one[start..]
        .chars()
        .rev()
        .zip(other[start..].chars().rev())
        .take_while(|(left, right)| left == right)
        .map(|(left, _)| left.len_utf8())
        .sum();
    (start, end)
}

/// How many of the registered ones are shown at once.
pub(super) const NEAREST: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(segments: &[DiffSegment]) -> String {
        let mark = |segment: &DiffSegment| {
            let (open, close) = if segment.differs {
                ("[", "]")
            } else {
                ("", "")
            };
            format!("{open}{}{close}", segment.text)
        };
        segments.iter().map(mark).collect()
    }

    #[test]
    fn only_what_differs_is_marked() {
        for (requested, registered, marked_requested, marked_registered) in [
            (
                "http://localhost:3000/callbak",
                "http://localhost:3000/callback",
                "http://localhost:3000/callba[]k",
                "http://localhost:3000/callba[c]k",
            ),
            (
                "https://app.test/callback/",
                "https://app.test/callback",
                "https://app.test/callback[/]",
                "https://app.test/callback[]",
            ),
            (
                "http://app.test/cb",
                "https://app.test/cb",
                "http[]://app.test/cb",
                "http[s]://app.test/cb",
            ),
            (
                "http://localhost:3000/calback",
                "http://127.0.0.1/callback",
                "http://[localhost]:3000/cal[]back",
                "http://[127.0.0.1]/cal[l]back",
            ),
            (
                "http://[::1]:8080/cb?a=1",
                "http://[::1]/cb",
                "http://[::1]:8080/cb[?a=1]",
                "http://[::1]/cb[]",
            ),
            (
                "https://app.test:8443/cb",
                "https://app.test/cb",
                "https://app.test[:8443]/cb",
                "https://app.test[]/cb",
            ),
            ("com.app:/a", "com.app:/b", "com.app:/[a]", "com.app:/[b]"),
            ("é", "è", "[é]", "[è]"),
        ] {
            let compared = RedirectUris::compare(requested, &[registered], None);
            assert_eq!(marked(&compared.requested), marked_requested);
            assert_eq!(marked(&compared.registered[0]), marked_registered);
        }
    }

    #[test]
    fn the_nearest_comes_first() {
        let compared = RedirectUris::compare(
            "https://app.test/callback2",
            &["myapp:/done", "https://app.test/callback"],
            None,
        );
        assert_eq!(
            marked(&compared.registered[0]),
            "https://app.test/callback[]"
        );
        assert_eq!(marked(&compared.requested), "https://app.test/callback[2]");
    }

    #[test]
    fn a_client_without_redirect_uris_has_nothing_to_compare_with() {
        let compared = RedirectUris::compare("https://app.test/", &[], None);
        assert_eq!(marked(&compared.requested), "https://app.test/");
        assert!(compared.registered.is_empty());
    }
}
