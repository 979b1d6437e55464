//! Response modes: how an authorization response travels
//! ([OAuth 2.0 Multiple Response Types section 2.1], [OAuth 2.0 Form Post Response Mode],
//! [JARM section 2.3]).
//!
//! [OAuth 2.0 Multiple Response Types section 2.1]: https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes
//! [OAuth 2.0 Form Post Response Mode]: https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html
//! [JARM section 2.3]: https://openid.net/specs/oauth-v2-jarm-final.html#section-2.3

use super::signing_algorithm::UnknownName;

/// How an authorization response travels.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ResponseMode {
    /// What carries it.
    pub carrier: Carrier,
    /// Whether it is signed: one JWT that has all the parameters in it.
    pub is_signed: bool,
}

/// What carries an authorization response.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Carrier {
    /// The query of the redirect URI.
    #[default]
    Query,
    /// Its fragment.
    Fragment,
    /// A form that the browser posts to it.
    FormPost,
}

impl Carrier {
    /// Every carrier.
    pub const ALL: &[Self] = &[Self::Query, Self::Fragment, Self::FormPost];

    /// The response mode that it is.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// The response mode that it is for signed responses.
    #[must_use]
    pub const fn as_str_signed(self) -> &'static str {
        match self {
            Self::Query => "query.jwt",
            Self::Fragment => "fragment.jwt",
            Self::FormPost => "form_post.jwt",
        }
    }

    /// What carries responses of `response_type`, known or not, where the request does not say:
    /// tokens, and the errors in their place, go into the fragment, which no server sees
    /// ([OAuth 2.0 Multiple Response Types section 5]).
    ///
    /// [OAuth 2.0 Multiple Response Types section 5]: https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#Combinations
    #[must_use]
    pub fn usual(response_type: &str) -> Self {
        let mut words = response_type.split(' ');
        if words.any(|word| ["token", "id_token"].contains(&word)) {
            Self::Fragment
        } else {
            Self::Query
        }
    }
}

impl ResponseMode {
    /// The plain mode in which `carrier` carries the response.
    #[must_use]
    pub const fn plain(carrier: Carrier) -> Self {
        let is_signed = false;
        Self { carrier, is_signed }
    }

    /// The mode that `name` is, where `usual` carries the response if it does not say.
    pub fn read(name: &str, usual: Carrier) -> Result<Self, UnknownName> {
        if name == SIGNED {
            return Ok(Self {
                carrier: usual,
                is_signed: true,
            });
        }
        let found = Carrier::ALL.iter().find_map(|&carrier| {
            let is_signed = name == carrier.as_str_signed();
            (is_signed || name == carrier.as_str()).then_some(Self { carrier, is_signed })
        });
        found.ok_or(UnknownName)
    }
}

/// The mode that asks for a signed response, however it travels.
pub const SIGNED: &str = "jwt";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_into_the_fragment_unless_the_request_says_otherwise() {
        for (response_type, expected) in [
            ("", Carrier::Query),
            ("code", Carrier::Query),
            ("none", Carrier::Query),
            ("my_token", Carrier::Query),
            ("token", Carrier::Fragment),
            ("id_token", Carrier::Fragment),
            ("code token", Carrier::Fragment),
            ("unknown id_token", Carrier::Fragment),
        ] {
            assert_eq!(Carrier::usual(response_type), expected, "{response_type}");
        }
    }

    #[test]
    fn a_mode_says_what_carries_the_response_and_whether_it_is_signed() {
        for (name, usual, expected) in [
            ("query", Carrier::Query, Some((Carrier::Query, false))),
            ("fragment", Carrier::Query, Some((Carrier::Fragment, false))),
            (
                "form_post",
                Carrier::Query,
                Some((Carrier::FormPost, false)),
            ),
            ("jwt", Carrier::Query, Some((Carrier::Query, true))),
            ("jwt", Carrier::Fragment, Some((Carrier::Fragment, true))),
            ("query.jwt", Carrier::Fragment, Some((Carrier::Query, true))),
            (
                "fragment.jwt",
                Carrier::Query,
                Some((Carrier::Fragment, true)),
            ),
            (
                "form_post.jwt",
                Carrier::Query,
                Some((Carrier::FormPost, true)),
            ),
            ("web_message", Carrier::Query, None),
            ("JWT", Carrier::Query, None),
            ("jwt.jwt", Carrier::Query, None),
        ] {
            let read = ResponseMode::read(name, usual).ok();
            let read = read.map(|mode| (mode.carrier, mode.is_signed));
            assert_eq!(read, expected, "{name}");
        }
    }
}
