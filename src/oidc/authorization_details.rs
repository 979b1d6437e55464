//! Rich authorization requests ([RFC 9396]): what a client asks for in more detail than a scope
//! can say.
//!
//! [RFC 9396]: https://www.rfc-editor.org/rfc/rfc9396

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client::Client;
use super::json;

/// What is asked for or granted, in detail ([RFC 9396 section 2]).
///
/// [RFC 9396 section 2]: https://www.rfc-editor.org/rfc/rfc9396#section-2
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct AuthorizationDetails(Vec<AuthorizationDetail>);

/// One thing that is asked for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuthorizationDetail {
    /// Of which type it is; the type says what the other members mean.
    #[serde(rename = "type")]
    pub kind: String,
    /// The other members.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

/// What an operator says of a type of authorization details.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuthorizationDetailsType {
    /// What it means, in words for the consent page.
    pub description: String,
    /// The members that one may have beside `type`; any, without it.
    pub members: Option<BTreeSet<String>>,
    /// The `actions` that one may have; any, without it.
    pub actions: Option<BTreeSet<String>>,
    /// The `locations` that one may have; any, without it.
    pub locations: Option<BTreeSet<String>>,
}

/// The types of authorization details, by name.
pub type AuthorizationDetailsTypes = BTreeMap<String, AuthorizationDetailsType>;

/// Why authorization details are refused ([RFC 9396 section 5]), in the order of the checks.
///
/// [RFC 9396 section 5]: https://www.rfc-editor.org/rfc/rfc9396#section-5
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AuthorizationDetailsError {
    /// Not a list of objects with distinct members and a `type`, or too much of it.
    #[error("the authorization_details are not a list of objects with a type")]
    Malformed,
    /// A type that the operator has not registered.
    #[error("the authorization_details have an unknown type")]
    UnknownType,
    /// A type that the client is not registered for.
    #[error("the authorization_details have a type that is not the client's")]
    TypeNotAllowed,
    /// A member that the type does not have.
    #[error("the authorization_details have a member that their type does not have")]
    UnknownMember,
    /// A member that is common to all types, and not as RFC 9396 has it.
    #[error("the authorization_details have a member of the wrong kind")]
    WrongMember,
    /// An action or a location that the type does not have.
    #[error("the authorization_details have an action or location that their type does not have")]
    ValueNotAllowed,
    /// More than was granted.
    #[error("the authorization_details are more than was granted")]
    NotGranted,
}

impl AuthorizationDetails {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &AuthorizationDetail> {
        self.0.iter()
    }

    /// Whether nothing is asked for in detail.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads what `client` asks for.
    pub fn read(
        text: &str,
        client: &Client,
        types: &AuthorizationDetailsTypes,
    ) -> Result<Self, AuthorizationDetailsError> {
        text.parse::<Self>()?.permitted(client, types)
    }

    /// These, if `client` may ask for them and each is as its type says.
    pub fn permitted(
        self,
        client: &Client,
        types: &AuthorizationDetailsTypes,
    ) -> Result<Self, AuthorizationDetailsError> {
        for detail in self.iter() {
            let kind = types.get(&detail.kind);
            let kind = kind.ok_or(AuthorizationDetailsError::UnknownType)?;
            let own = &client.metadata.authorization_details_types;
            if !own.contains(&detail.kind) {
                return Err(AuthorizationDetailsError::TypeNotAllowed);
            }
            detail.conform_to(kind)?;
        }
        Ok(self)
    }

    /// Those that `requested` asks for of these, which were granted; all of them if it asks for
    /// none in particular ([RFC 9396 section 6.1]).
    ///
    /// [RFC 9396 section 6.1]: https://www.rfc-editor.org/rfc/rfc9396#section-6.1
    pub fn narrowed(&self, requested: Option<Self>) -> Result<Self, AuthorizationDetailsError> {
        let Some(requested) = requested else {
            return Ok(self.clone());
        };
        let is_granted = |detail: &AuthorizationDetail| self.iter().any(|own| own.covers(detail));
        if requested.iter().all(is_granted) {
            Ok(requested)
        } else {
            Err(AuthorizationDetailsError::NotGranted)
        }
    }
}

impl FromStr for AuthorizationDetails {
    type Err = AuthorizationDetailsError;

    fn from_str(text: &str) -> Result<Self, AuthorizationDetailsError> {
        let malformed = AuthorizationDetailsError::Malformed;
        if text.len() > LONGEST {
            return Err(malformed);
        }
        let value = json::read(text).map_err(|_| malformed)?;
        let details: Self = serde_json::from_value(value).map_err(|_| malformed)?;
        if details.0.is_empty() || details.0.len() > MOST {
            return Err(malformed);
        }
        Ok(details)
    }
}

impl AuthorizationDetail {
    fn conform_to(&self, kind: &AuthorizationDetailsType) -> Result<(), AuthorizationDetailsError> {
        if let Some(members) = &kind.members
            && !self.members.keys().all(|name| members.contains(name))
        {
            return Err(AuthorizationDetailsError::UnknownMember);
        }
        for name in LISTS {
            if let Some(value) = self.members.get(*name) {
                texts(value).ok_or(AuthorizationDetailsError::WrongMember)?;
            }
        }
        let identifier = self.members.get("identifier");
        if identifier.is_some_and(|identifier| !identifier.is_string()) {
            return Err(AuthorizationDetailsError::WrongMember);
        }
        for (name, allowed) in [("actions", &kind.actions), ("locations", &kind.locations)] {
            let own = self.members.get(name).and_then(texts).unwrap_or_default();
            if let Some(allowed) = allowed
                && !own.iter().all(|value| allowed.contains(*value))
            {
                return Err(AuthorizationDetailsError::ValueNotAllowed);
            }
        }
        Ok(())
    }

    /// Whether `other` is this one, or the same with fewer actions, locations, datatypes or
    /// privileges. What any other member means is known to the API alone: there, only the same
    /// is no more.
    fn covers(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.members.len() == other.members.len()
            && other.members.iter().all(|(name, value)| {
                let Some(own) = self.members.get(name) else {
                    return false;
                };
                if own == value || !LISTS.contains(&name.as_str()) {
                    return own == value;
                }
                match (texts(own), texts(value)) {
                    (Some(own), Some(value)) => {
                        !value.is_empty() && value.iter().all(|one| own.contains(one))
                    }
                    _ => false,
                }
            })
    }
}

/// The items of a list of strings.
fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// The members that are lists of strings in every type ([RFC 9396 section 2.2]).
///
/// [RFC 9396 section 2.2]: https://www.rfc-editor.org/rfc/rfc9396#section-2.2
const LISTS: &[&str] = &["locations", "actions", "datatypes", "privileges"];

/// Longer than what a person can read and allow.
const LONGEST: usize = 8 * 1024;
const MOST: usize = 20;

#[cfg(test)]
mod tests {
    use super::super::client_metadata::ClientMetadata;
    use super::super::timestamp::Timestamp;
    use super::AuthorizationDetailsError as Error;
    use super::*;

    fn client() -> Client {
        Client {
            id: "app".parse().unwrap(),
            metadata: ClientMetadata {
                authorization_details_types: vec!["payment".to_owned(), "gone".to_owned()],
                ..ClientMetadata::default()
            },
            secret: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            disabled_at: None,
            self_registered_at: None,
        }
    }

    fn types() -> AuthorizationDetailsTypes {
        let set = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
        let payment = AuthorizationDetailsType {
            description: "Pay".to_owned(),
            members: set(&["actions", "locations", "amount", "identifier"]),
            actions: set(&["initiate", "cancel"]),
            locations: set(&["https://bank.test/"]),
        };
        let other = AuthorizationDetailsType::default();
        [("payment", payment), ("other", other)]
            .map(|(name, kind)| (name.to_owned(), kind))
            .into()
    }

    #[test]
    fn only_a_list_of_objects_with_a_type_is_read() {
        for text in [
            "",
            "{}",
            "[]",
            "[1]",
            "[{}]",
            r#"[{"type": 1}]"#,
            r#"{"type": "payment"}"#,
            r#"[{"type": "payment", "type": "payment"}]"#,
            r#"[{"type": "payment", "amount": {"a": 1, "a": 2}}]"#,
            r#"[{"type": "payment"}] x"#,
        ] {
            let read = text.parse::<AuthorizationDetails>();
            assert_eq!(read, Err(Error::Malformed), "{text}");
        }
        let many = vec![r#"{"type":"payment"}"#; 21].join(",");
        let long = format!(r#"[{{"type":"payment","a":"{}"}}]"#, "x".repeat(9000));
        let deep = format!(r#"[{{"type":"payment","a":{}"#, "[".repeat(5000));
        for text in [format!("[{many}]"), long, deep] {
            let read = text.parse::<AuthorizationDetails>();
            assert_eq!(read, Err(Error::Malformed), "{text:.40}");
        }
        let text = r#"[{"type":"payment","amount":{"b":1,"a":[2]}},{"type":"x"}]"#;
        let read: AuthorizationDetails = text.parse().unwrap();
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(written.parse(), Ok(read));
    }

    #[test]
    fn each_is_as_its_type_says() {
        for (text, expected) in [
            (r#"{"type": "payment"}"#, Ok(())),
            (r#"{"type": "payment", "actions": ["initiate"]}"#, Ok(())),
            (
                r#"{"type": "payment", "locations": ["https://bank.test/"], "amount": {"x": 1}}"#,
                Ok(()),
            ),
            (r#"{"type": "unknown"}"#, Err(Error::UnknownType)),
            (r#"{"type": "gone"}"#, Err(Error::UnknownType)),
            (r#"{"type": "other"}"#, Err(Error::TypeNotAllowed)),
            (
                r#"{"type": "payment", "datatypes": []}"#,
                Err(Error::UnknownMember),
            ),
            (
                r#"{"type": "payment", "actions": "initiate"}"#,
                Err(Error::WrongMember),
            ),
            (
                r#"{"type": "payment", "actions": [1]}"#,
                Err(Error::WrongMember),
            ),
            (
                r#"{"type": "payment", "identifier": {}}"#,
                Err(Error::WrongMember),
            ),
            (
                r#"{"type": "payment", "actions": ["initiate", "steal"]}"#,
                Err(Error::ValueNotAllowed),
            ),
            (
                r#"{"type": "payment", "locations": ["https://evil.test/"]}"#,
                Err(Error::ValueNotAllowed),
            ),
        ] {
            let details: AuthorizationDetails = format!("[{text}]").parse().unwrap();
            let permitted = details.permitted(&client(), &types()).map(|_| ());
            assert_eq!(permitted, expected, "{text}");
        }
    }

    #[test]
    fn what_is_narrowed_is_no_more_than_was_granted() {
        let granted = r#"[{"type": "payment", "actions": ["initiate", "cancel"], "amount": 5},
                          {"type": "other"}]"#;
        let granted: AuthorizationDetails = granted.parse().unwrap();
        assert_eq!(granted.narrowed(None), Ok(granted.clone()));
        for (text, is_granted) in [
            (r#"[{"type": "other"}]"#, true),
            (
                r#"[{"type": "payment", "actions": ["cancel"], "amount": 5}]"#,
                true,
            ),
            (
                r#"[{"type": "payment", "actions": ["steal"], "amount": 5}]"#,
                false,
            ),
            (
                r#"[{"type": "payment", "actions": [], "amount": 5}]"#,
                false,
            ),
            (
                r#"[{"type": "payment", "actions": ["cancel"], "amount": 6}]"#,
                false,
            ),
            (r#"[{"type": "payment", "actions": ["cancel"]}]"#, false),
            (r#"[{"type": "payment", "amount": 5}]"#, false),
            (r#"[{"type": "other", "amount": 5}]"#, false),
            (r#"[{"type": "third"}]"#, false),
        ] {
            let requested: AuthorizationDetails = text.parse().unwrap();
            let expected = is_granted.then(|| requested.clone());
            let narrowed = granted.narrowed(Some(requested));
            assert_eq!(narrowed.ok(), expected, "{text}");
        }
    }
}
