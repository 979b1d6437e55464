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
    /// The token against forged requests.
    pub csrf: &'a str,
}

/// A piece of a URI.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DiffSegment {
    /// Its text.
    pub text: String,
    /// Whether it is what differs.
    pub differs: bool,
}

impl<'a> RedirectUris<'a> {
    /// Compares `requested` with each of `registered`.
    ///
    /// What the two have in common at the start and at the end is left unmarked.
    #[must_use]
    pub fn compare(
        requested: &str,
        registered: &[&str],
        registration: Option<RedirectUriRegistration<'a>>,
    ) -> Self {
        let mut nearest_first = registered.to_vec();
        nearest_first.sort_by_key(|own| std::cmp::Reverse(common(requested, own)));
        let requested_segments = match nearest_first.first() {
            Some(nearest) => segments(requested, nearest),
            None => segments(requested, requested),
        };
        Self {
            requested: requested_segments,
            registered: nearest_first
                .iter()
                .map(|own| segments(own, requested))
                .collect(),
            registration,
        }
    }
}

/// How many bytes two texts share at the start and at the end.
fn common(one: &str, other: &str) -> usize {
    let (start, end) = shared(one, other);
    start + end
}

/// `text` with what sets it apart from `other` marked.
fn segments(text: &str, other: &str) -> Vec<DiffSegment> {
    let (start, end) = shared(text, other);
    let end = text.len() - end;
    [
        (&text[..start], false),
        (&text[start..end], true),
        (&text[end..], false),
    ]
    .into_iter()
    .filter(|(text, _)| !text.is_empty())
    .map(|(text, differs)| DiffSegment {
        text: text.to_owned(),
        differs,
    })
    .collect()
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
                "http://localhost:3000/callbak",
                "http://localhost:3000/callba[c]k",
            ),
            (
                "https://app.test/callback/",
                "https://app.test/callback",
                "https://app.test/callback[/]",
                "https://app.test/callback",
            ),
            (
                "http://app.test/cb",
                "https://app.test/cb",
                "http://app.test/cb",
                "http[s]://app.test/cb",
            ),
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
        assert_eq!(marked(&compared.registered[0]), "https://app.test/callback");
        assert_eq!(marked(&compared.requested), "https://app.test/callback[2]");
    }

    #[test]
    fn a_client_without_redirect_uris_has_nothing_to_compare_with() {
        let compared = RedirectUris::compare("https://app.test/", &[], None);
        assert_eq!(marked(&compared.requested), "https://app.test/");
        assert!(compared.registered.is_empty());
    }
}
