//! The parameter `prompt` ([OIDC Core section 3.1.2.1]).
//!
//! [OIDC Core section 3.1.2.1]: https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest

use std::str::FromStr;

/// What the End-User is to be asked, whether or not it is needed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the four values of prompt, which combine freely but for none"
)]
pub struct Prompt {
    /// No page may be shown.
    pub none: bool,
    /// To sign in, even if signed in already.
    pub login: bool,
    /// For consent, even if given before.
    pub consent: bool,
    /// Which account to use.
    pub select_account: bool,
}

/// A value of `prompt` that is unknown, or `none` together with others.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("prompt is none, or a list of login, consent and select_account")]
pub struct PromptError;

impl FromStr for Prompt {
    type Err = PromptError;

    fn from_str(text: &str) -> Result<Self, PromptError> {
        let mut prompt = Self::default();
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => return Err(PromptError),
            }
        }
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
            return Err(PromptError);
        }
        Ok(prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_stands_alone_and_unknown_values_are_refused() {
        let login = Prompt {
            login: true,
            ..Prompt::default()
        };
        assert_eq!("login".parse(), Ok(login));
        assert_eq!(" login  login".parse(), Ok(login));
        for text in ["none login", "login none", "create", "NONE"] {
            assert_eq!(text.parse::<Prompt>(), Err(PromptError), "{text}");
        }
    }
}
