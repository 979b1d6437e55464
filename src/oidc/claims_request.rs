//! The parameter `claims` ([OIDC Core section 5.5]): single claims that a client asks for, beside
//! those that go with its scopes.
//!
//! It is read strictly and never halfway: a member that stands there twice, or is of another type
//! than the specification gives it, makes the whole of it malformed.
//!
//! [OIDC Core section 5.5]: https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::scope::Scopes;
use super::user::User;
use super::user_claims;

/// The claims that a request asks for, by where they are to be.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// In the answer of the userinfo endpoint.
    #[serde(skip_serializing_if = "RequestedClaims::is_empty")]
    pub userinfo: RequestedClaims,
    /// In the ID token.
    #[serde(skip_serializing_if = "RequestedClaims::is_empty")]
    pub id_token: RequestedClaims,
}

/// Requested claims by name.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct RequestedClaims(BTreeMap<String, RequestedClaim>);

/// How one claim is requested ([OIDC Core section 5.5.1]).
///
/// [OIDC Core section 5.5.1]: https://openid.net/specs/openid-connect-core-1_0.html#IndividualClaimsRequests
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct RequestedClaim {
    /// Whether the client cannot well do without it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The values of which it should have one (`value` and `values`); any value, without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

/// A text that is not a claims request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the claims parameter is not an object of claims requests")]
pub struct ClaimsRequestError;

impl ClaimsRequest {
    /// What `client` may learn of it: `sub` and what concerns the authentication always, claims
    /// about the End-User only if the client `may_have` the scope that they go with. Claims that
    /// Keyfob does not have are left out.
    #[must_use]
    pub fn permitted(mut self, may_have: impl Fn(&str) -> bool) -> Self {
        let keep = |name: &str| match user_claims::scope_of(name) {
            Some(scope) => may_have(scope),
            None => ["sub", "acr"].contains(&name),
        };
        self.userinfo.0.retain(|name, _| keep(name));
        self.id_token.0.retain(|name, _| keep(name));
        self
    }

    /// The claims about the End-User among them, which every answer under the grant is to have.
    #[must_use]
    pub fn about_user(&self) -> Self {
        let mut about = self.clone();
        let is_about_user = |name: &str| user_claims::scope_of(name).is_some();
        about.userinfo.0.retain(|name, _| is_about_user(name));
        about.id_token.0.retain(|name, _| is_about_user(name));
        about
    }

    /// The claims about the End-User that do not go with one of `scopes` anyhow.
    #[must_use]
    pub fn beyond(&self, scopes: &Scopes) -> ClaimNames {
        let all = self.userinfo.0.keys().chain(self.id_token.0.keys());
        let beyond = all.filter(|name| {
            user_claims::scope_of(name).is_some_and(|scope| !scopes.contains(scope))
        });
        ClaimNames(beyond.cloned().collect())
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// Whether the user with this `sub` is one whom it asks for.
    #[must_use]
    pub fn is_for(&self, sub: &str) -> bool {
        [&self.userinfo, &self.id_token].iter().all(|requested| {
            let claim = requested.get("sub");
            claim.is_none_or(|claim| claim.admits(&sub.into()))
        })
    }
}

impl FromStr for ClaimsRequest {
    type Err = ClaimsRequestError;

    fn from_str(text: &str) -> Result<Self, ClaimsRequestError> {
        // Only an object: a list of the members would be read, too.
        if text.len() > LONGEST || !text.trim_start().starts_with('{') {
            return Err(ClaimsRequestError);
        }
        let wire: Wire = serde_json::from_str(text).map_err(|_| ClaimsRequestError)?;
        Ok(Self {
            userinfo: RequestedClaims::read(wire.userinfo)?,
            id_token: RequestedClaims::read(wire.id_token)?,
        })
    }
}

impl RequestedClaims {
    /// How the claim of this name is requested, if it is.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RequestedClaim> {
        self.0.get(name)
    }

    /// Whether none is requested.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of them that `user` has, with the values that were asked for. A claim that is not
    /// there, essential or not, is no error ([OIDC Core section 5.5.1]).
    ///
    /// [OIDC Core section 5.5.1]: https://openid.net/specs/openid-connect-core-1_0.html#IndividualClaimsRequests
    #[must_use]
    pub fn of_user(&self, user: &User) -> Map<String, Value> {
        let had = self.0.iter().filter_map(|(name, claim)| {
            let value = user_claims::value(user, name)?;
            claim.admits(&value).then(|| (name.clone(), value))
        });
        had.collect()
    }

    fn read(wire: Option<Members<Option<Members<Value>>>>) -> Result<Self, ClaimsRequestError> {
        let members = wire.map_or_else(BTreeMap::new, |members| members.0);
        let read = members.into_iter().map(|(name, wire)| {
            let claim = wire.map_or_else(|| Ok(RequestedClaim::default()), RequestedClaim::read)?;
            Ok((name, claim))
        });
        read.collect::<Result<_, _>>().map(Self)
    }
}

impl RequestedClaim {
    /// Whether `value` is one of those asked for.
    #[must_use]
    pub fn admits(&self, value: &Value) -> bool {
        let values = self.values.as_ref();
        values.is_none_or(|values| values.contains(value))
    }

    fn read(wire: Members<Value>) -> Result<Self, ClaimsRequestError> {
        let mut members = wire.0;
        let essential = match members.remove("essential") {
            None => false,
            Some(Value::Bool(essential)) => essential,
            Some(_) => return Err(ClaimsRequestError),
        };
        let values = match (members.remove("value"), members.remove("values")) {
            (None, None) => None,
            (Some(value), None) => Some(vec![value]),
            (None, Some(Value::Array(values))) => Some(values),
            _ => return Err(ClaimsRequestError),
        };
        Ok(Self { essential, values })
    }
}

/// Names of claims, without an order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClaimNames(BTreeSet<String>);

impl ClaimNames {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether `name` is among them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for ClaimNames {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.split_whitespace().map(str::to_owned).collect()))
    }
}

impl fmt::Display for ClaimNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().collect();
        f.write_str(&names.join(" "))
    }
}

/// The parameter as it is sent; further members are ignored ([OIDC Core section 5.5]).
///
/// [OIDC Core section 5.5]: https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter
#[derive(Deserialize)]
struct Wire {
    userinfo: Option<Members<Option<Members<Value>>>>,
    id_token: Option<Members<Option<Members<Value>>>>,
}

/// A JSON object, no two of whose members have the same name: readers differ in which of two they
/// believe.
struct Members<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Distinct<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Distinct<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with distinct members")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members<T>, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = access.next_entry::<String, T>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Distinct(PhantomData))
    }
}

/// Every claim, each essential, in both places, takes less.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> ClaimsRequest {
        text.parse().expect(text)
    }

    #[test]
    fn a_claims_request_is_read_as_the_specification_writes_it() {
        // OIDC Core section 5.5, the example.
        let request = read(
            r#"{"userinfo": {
                 "given_name": {"essential": true}, "nickname": null,
                 "http://example.info/claims/groups": null
                },
                "id_token": {
                 "auth_time": {"essential": true},
                 "acr": {"values": ["urn:mace:incommon:iap:silver"]}
                },
                "more": 1}"#,
        );
        let given_name = request.userinfo.get("given_name");
        assert!(given_name.is_some_and(|claim| claim.essential && claim.values.is_none()));
        let nickname = request.userinfo.get("nickname");
        assert_eq!(nickname, Some(&RequestedClaim::default()));
        let acr = request.id_token.get("acr");
        let silver = Some(vec![json!("urn:mace:incommon:iap:silver")]);
        assert!(acr.is_some_and(|claim| !claim.essential && claim.values == silver));
        for text in ["{}", r#"{"userinfo":null}"#, r#" {"id_token":{}} "#] {
            assert_eq!(read(text), ClaimsRequest::default(), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_claims_request_is_refused_whole() {
        let deep = |levels: usize| {
            let (open, close) = ("{\"a\":".repeat(levels), "}".repeat(levels));
            format!("{{\"userinfo\":{open}1{close}}}")
        };
        for text in [
            "",
            "null",
            "1",
            "[]",
            "[null,null]",
            "\"{}\"",
            "{",
            "{} {}",
            r#"{"userinfo":[]}"#,
            r#"{"userinfo":"name"}"#,
            r#"{"userinfo":{"name":true}}"#,
            r#"{"userinfo":{"name":[true]}}"#,
            r#"{"userinfo":{"name":{"essential":"true"}}}"#,
            r#"{"userinfo":{"name":{"essential":1}}}"#,
            r#"{"userinfo":{"name":{"values":"a"}}}"#,
            r#"{"userinfo":{"name":{"value":"a","values":["b"]}}}"#,
            r#"{"userinfo":{},"userinfo":{"name":null}}"#,
            r#"{"userinfo":{"name":null,"name":null}}"#,
            r#"{"userinfo":{"name":{"value":1,"value":2}}}"#,
            r#"{"userinfo":{"name":{"value":1e999}}}"#,
            &deep(10_000),
            &deep(500),
            &format!("{{\"userinfo\":{{\"{}\":null}}}}", "a".repeat(LONGEST)),
        ] {
            let read = text.parse::<ClaimsRequest>();
            assert_eq!(read, Err(ClaimsRequestError), "{text:.80}");
        }
    }

    #[test]
    fn only_what_the_client_may_have_is_kept() {
        let request = read(
            r#"{"userinfo":{"email":null,"phone_number":null,"shoe_size":null,"sub":null},
                "id_token":{"acr":null,"name":null,"auth_time":null}}"#,
        );
        let permitted = request.permitted(|scope| scope != "phone");
        let scopes = "openid profile".parse().unwrap();
        assert_eq!(permitted.beyond(&scopes).to_string(), "email");
        let none = Scopes::default();
        assert_eq!(permitted.beyond(&none).to_string(), "email name");
        let about_user = json!({
            "userinfo": {"email": {}}, "id_token": {"name": {}},
        });
        let written = serde_json::to_value(permitted.about_user()).unwrap();
        assert_eq!(written, about_user);
        let again: ClaimsRequest = serde_json::from_value(written).unwrap();
        assert_eq!(again, permitted.about_user());
    }

    #[test]
    fn a_sub_with_a_value_names_the_only_user_meant() {
        for (text, sub, expected) in [
            ("{}", "a", true),
            (r#"{"id_token":{"sub":null}}"#, "a", true),
            (r#"{"id_token":{"sub":{"value":"a"}}}"#, "a", true),
            (r#"{"id_token":{"sub":{"value":"a"}}}"#, "b", false),
            (r#"{"userinfo":{"sub":{"values":["a","b"]}}}"#, "b", true),
            (r#"{"userinfo":{"sub":{"values":[]}}}"#, "a", false),
            (
                r#"{"userinfo":{"sub":{"value":"b"}},"id_token":{"sub":{"value":"a"}}}"#,
                "a",
                false,
            ),
        ] {
            assert_eq!(read(text).is_for(sub), expected, "{text} {sub}");
        }
    }
}
