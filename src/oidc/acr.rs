//! Authentication context classes: what a request asks of the authentication, and which of it
//! somebody who has signed in can be said to have ([OIDC Core sections 2, 3.1.2.1 and 5.5.1.1]).
//!
//! [OIDC Core sections 2, 3.1.2.1 and 5.5.1.1]: https://openid.net/specs/openid-connect-core-1_0.html#acrSemantics

use super::claims_request::RequestedClaim;
use super::metadata::{ACR_PASSWORD, AMR_PASSWORD};

/// The classes that a request asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequestedAcr {
    /// The classes in the client's order of preference; empty for any.
    pub values: Vec<String>,
    /// Whether an authentication that is in none of them is as good as a failed one.
    pub is_essential: bool,
}

impl RequestedAcr {
    /// What the claim `acr`, else the parameter `acr_values`, else the client's registration asks
    /// for.
    #[must_use]
    pub fn of(
        claim: Option<&RequestedClaim>,
        acr_values: Option<&str>,
        default: &[String],
    ) -> Self {
        if let Some(values) = claim.and_then(|claim| claim.values.as_ref()) {
            let values = values.iter().filter_map(serde_json::Value::as_str);
            return Self {
                values: values.map(str::to_owned).collect(),
                is_essential: claim.is_some_and(|claim| claim.essential),
            };
        }
        let values = acr_values.map(|text| text.split(' ').filter(|value| !value.is_empty()));
        Self {
            values: values.map_or_else(
                || default.to_vec(),
                |values| values.map(str::to_owned).collect(),
            ),
            is_essential: false,
        }
    }

    /// Whether somebody could sign in here as it demands.
    #[must_use]
    pub fn can_be_met(&self) -> bool {
        !self.is_essential || self.first_of(SUPPORTED).is_some()
    }

    /// Whether somebody who has signed in by the methods `amr` is authenticated as it demands.
    #[must_use]
    pub fn is_met_by(&self, amr: &[String]) -> bool {
        !self.is_essential || self.first_of(&classes(amr)).is_some()
    }

    /// The class to tell of somebody who has signed in by the methods `amr`: one that was asked
    /// for if they are in one, else the strongest that they are in.
    #[must_use]
    pub fn answer(&self, amr: &[String]) -> &'static str {
        let classes = classes(amr);
        let asked_for = self.first_of(&classes);
        asked_for.or(classes.first().copied()).unwrap_or(ACR_NONE)
    }

    fn first_of(&self, classes: &[&'static str]) -> Option<&'static str> {
        let mut values = self.values.iter();
        values.find_map(|value| classes.iter().copied().find(|class| class == value))
    }
}

/// The classes that the methods `amr` put an authentication in, the strongest first.
fn classes(amr: &[String]) -> Vec<&'static str> {
    let has_password = amr.iter().any(|method| method == AMR_PASSWORD);
    let known = [(ACR_PASSWORD, has_password)];
    let met = known.iter().filter(|(_, is_met)| *is_met);
    met.map(|(class, _)| *class).collect()
}

/// Every class that somebody can sign in with: `acr_values_supported` of the metadata.
pub const SUPPORTED: &[&str] = &[ACR_PASSWORD];

/// The class of an authentication that is too weak for any other ([OIDC Core section 2]).
///
/// [OIDC Core section 2]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
const ACR_NONE: &str = "0";

#[cfg(test)]
mod tests {
    use super::super::claims_request::ClaimsRequest;
    use super::*;

    #[test]
    fn the_claim_is_asked_before_the_parameter_and_the_registration() {
        let password = [AMR_PASSWORD.to_owned()];
        let registered = ["gold".to_owned(), "1".to_owned()];
        for (claim, acr_values, is_met, can_be_met) in [
            ("null", None, true, true),
            ("null", Some("gold 1"), true, true),
            ("null", Some("gold"), true, true),
            (r#"{"essential":true}"#, Some("gold"), true, true),
            (r#"{"value":"gold"}"#, None, true, true),
            (
                r#"{"essential":true,"value":"1"}"#,
                Some("gold"),
                true,
                true,
            ),
            (
                r#"{"essential":true,"values":["gold","1"]}"#,
                None,
                true,
                true,
            ),
            (
                r#"{"essential":true,"value":"gold"}"#,
                Some("1"),
                false,
                false,
            ),
            (r#"{"essential":true,"values":[]}"#, None, false, false),
            (r#"{"essential":true,"value":1}"#, None, false, false),
        ] {
            let claims: ClaimsRequest = format!("{{\"id_token\":{{\"acr\":{claim}}}}}")
                .parse()
                .unwrap();
            let requested = RequestedAcr::of(claims.id_token.get("acr"), acr_values, &registered);
            assert_eq!(requested.is_met_by(&password), is_met, "{claim}");
            assert_eq!(requested.can_be_met(), can_be_met, "{claim}");
            assert_eq!(requested.answer(&password), ACR_PASSWORD, "{claim}");
            assert_eq!(requested.answer(&[]), ACR_NONE, "{claim}");
        }
        let default = RequestedAcr::of(None, None, &registered);
        assert_eq!(default.values, registered);
        assert_eq!(
            RequestedAcr::of(None, Some(" 1  2"), &registered).values,
            ["1", "2"]
        );
    }
}
