//! Token exchange ([RFC 8693]): a client turns a token that it holds into one for another API.
//!
//! Here is decided what comes of it, once the tokens are known to be good. A client may do no more
//! than its [`TokenExchangePolicy`] says, and gets no more than the subject's token already allows
//! but for the scopes that the policy names.
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::claims::OneOrMany;
use super::client::Client;
use super::parameters::{Parameters, Repeated};
use super::scope::{OFFLINE_ACCESS, Scopes};
use super::signing_algorithm::UnknownName;

/// What a client may exchange, and for what: the member `token_exchange` of its metadata, which
/// only operators write.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TokenExchangePolicy {
    /// The clients whose tokens it may exchange, beside its own and those that are for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_clients: Vec<String>,
    /// What it may name as `audience` or `resource`, beside its `access_token_audience`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// The scopes that it may have though the subject's token does not.
    #[serde(skip_serializing_if = "Scopes::is_empty")]
    pub scope: Scopes,
    /// Whether it may act as the subject without saying that it does, with no `actor_token`.
    pub impersonation: bool,
}

/// What kind of token a text is ([RFC 8693 section 3]).
///
/// [RFC 8693 section 3]: https://www.rfc-editor.org/rfc/rfc8693#section-3
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenType {
    /// An access token, of either format.
    AccessToken,
    /// An ID token.
    IdToken,
    /// A JWT, which for Keyfob is an access token of that format.
    Jwt,
}

impl TokenType {
    /// The identifier.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }
}

impl FromStr for TokenType {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let all = [Self::AccessToken, Self::IdToken, Self::Jwt];
        let found = all.iter().find(|token_type| token_type.as_str() == text);
        found.copied().ok_or(UnknownName)
    }
}

/// A token that came with a request, and what it is said to be.
#[derive(Clone, Debug)]
pub struct PresentedToken {
    /// The token.
    pub token: String,
    /// What it is said to be.
    pub token_type: TokenType,
}

/// What exchanges a token ([RFC 8693 section 2.1]).
///
/// [RFC 8693 section 2.1]: https://www.rfc-editor.org/rfc/rfc8693#section-2.1
#[derive(Clone, Debug)]
pub struct TokenExchangeRequest {
    /// The token of whom the new one speaks.
    pub subject: PresentedToken,
    /// The token of who acts.
    pub actor: Option<PresentedToken>,
    /// Each `audience` and `resource`.
    pub targets: Vec<String>,
    /// The scopes wanted.
    pub scopes: Option<Scopes>,
}

/// Why a body does not ask for an exchange that there is, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenExchangeRequestError {
    /// A parameter twice that may be there once.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// No parameter of this name, which is needed.
    #[error("the request has no {0}")]
    Missing(&'static str),
    /// A type of token that is not exchanged, in this parameter.
    #[error("the {0} is not supported")]
    UnsupportedTokenType(&'static str),
    /// An `actor_token_type` without an `actor_token`.
    #[error("the request has an actor_token_type and no actor_token")]
    ActorTokenMissing,
    /// A `resource` that is not an absolute URI, or has a fragment, or more targets than one needs.
    #[error("the resource is not an absolute URI without a fragment")]
    InvalidTarget,
}

impl TokenExchangeRequest {
    /// Reads a request but for its scopes.
    pub fn parse(
        body: &Parameters,
        scopes: Option<Scopes>,
    ) -> Result<Self, TokenExchangeRequestError> {
        use TokenExchangeRequestError as Error;
        let subject = presented(body, "subject_token", "subject_token_type")?;
        let subject = subject.ok_or(Error::Missing("subject_token"))?;
        let actor = presented(body, "actor_token", "actor_token_type")?;
        if actor.is_none() && body.get("actor_token_type")?.is_some() {
            return Err(Error::ActorTokenMissing);
        }
        let requested = body.get("requested_token_type")?.map(str::parse);
        match requested {
            None | Some(Ok(TokenType::AccessToken)) => {}
            Some(_) => return Err(Error::UnsupportedTokenType("requested_token_type")),
        }
        // What is sent without a value counts as not sent.
        let all = |name| body.get_all(name).filter(|value| !value.is_empty());
        let resources: Vec<_> = all("resource").collect();
        if !resources.iter().all(|resource| is_resource(resource)) {
            return Err(Error::InvalidTarget);
        }
        let mut targets: Vec<String> = Vec::new();
        for target in all("audience").chain(resources) {
            if !targets.iter().any(|known| known == target) {
                targets.push(target.to_owned());
            }
        }
        if targets.len() > MOST_TARGETS {
            return Err(Error::InvalidTarget);
        }
        Ok(Self {
            subject,
            actor,
            targets,
            scopes,
        })
    }
}

fn presented(
    body: &Parameters,
    token: &'static str,
    token_type: &'static str,
) -> Result<Option<PresentedToken>, TokenExchangeRequestError> {
    let Some(token) = body.get(token)? else {
        return Ok(None);
    };
    let said = body.get(token_type)?;
    let said = said.ok_or(TokenExchangeRequestError::Missing(token_type))?;
    let token_type = said
        .parse()
        .map_err(|_| TokenExchangeRequestError::UnsupportedTokenType(token_type))?;
    Ok(Some(PresentedToken {
        token: token.to_owned(),
        token_type,
    }))
}

/// [RFC 8693 section 2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1): an absolute URI that
/// may have a query and must not have a fragment.
fn is_resource(text: &str) -> bool {
    url::Url::parse(text).is_ok() && !text.contains('#')
}

/// Who acts for somebody, and before them whoever acted first: the claim `act`
/// ([RFC 8693 section 4.1]).
///
/// [RFC 8693 section 4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Actor {
    /// Who acts.
    pub sub: String,
    /// The client through which they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Who acted before them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}

impl Actor {
    /// How many act in this chain.
    fn length(&self) -> usize {
        1 + self.act.as_ref().map_or(0, |act| act.length())
    }
}

/// A token that was presented and is good.
#[derive(Clone, Debug)]
pub struct KnownToken {
    /// Of whom it speaks.
    pub sub: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// Whom it is for.
    pub audience: OneOrMany,
    /// What it allows.
    pub scopes: Scopes,
    /// Who acts in it already.
    pub actor: Option<Actor>,
}

/// What comes of an exchange.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// What the new token allows.
    pub scopes: Scopes,
    /// Whom it is for; empty: whom every token of the client is for.
    pub audience: Vec<String>,
    /// Who acts in it.
    pub actor: Option<Actor>,
}

/// Why a client does not get what it asks for, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExchangeRefusal {
    /// The subject's token has nothing to do with the client.
    #[error("the subject_token is neither the client's own, nor for it, nor of a client it names")]
    SubjectOfAnotherClient,
    /// The actor's token was issued to another client.
    #[error("the actor_token was issued to another client")]
    ActorOfAnotherClient,
    /// No actor's token, and the client may not impersonate.
    #[error("the client may not impersonate, and the request has no actor_token")]
    ImpersonationNotAllowed,
    /// More act for one another than anybody can follow.
    #[error("the chain of actors is too long")]
    TooManyActors,
    /// A target that the client may not name.
    #[error("the client may not get tokens for this audience or resource")]
    TargetNotAllowed,
    /// A scope beyond what the client may have.
    #[error("the scope is more than the client may get for this token")]
    ScopeNotAllowed,
}

/// What comes of an exchange that `client` asks for.
pub fn decide(
    client: &Client,
    targets: Vec<String>,
    requested: Option<&Scopes>,
    subject: &KnownToken,
    actor: Option<&KnownToken>,
) -> Result<Exchange, ExchangeRefusal> {
    let policy = client.metadata.token_exchange.clone().unwrap_or_default();
    let id = client.id.as_str();
    let is_admitted = subject.client_id == id
        || subject.audience.contains(id)
        || policy.subject_clients.contains(&subject.client_id);
    if !is_admitted {
        return Err(ExchangeRefusal::SubjectOfAnotherClient);
    }
    let actor = match actor {
        Some(actor) if actor.client_id != id => {
            return Err(ExchangeRefusal::ActorOfAnotherClient);
        }
        Some(actor) => Some(Actor {
            sub: actor.sub.clone(),
            client_id: (actor.sub != id).then(|| id.to_owned()),
            act: subject.actor.clone().map(Box::new),
        }),
        None if !policy.impersonation => return Err(ExchangeRefusal::ImpersonationNotAllowed),
        // Whoever acted before is not forgotten.
        None => subject.actor.clone(),
    };
    if actor
        .as_ref()
        .is_some_and(|actor| actor.length() > MOST_ACTORS)
    {
        return Err(ExchangeRefusal::TooManyActors);
    }
    let own = &client.metadata.access_token_audience;
    let may_name = |target: &String| policy.audience.contains(target) || own.contains(target);
    if !targets.iter().all(may_name) {
        return Err(ExchangeRefusal::TargetNotAllowed);
    }
    Ok(Exchange {
        scopes: scopes(client, &policy, requested, &subject.scopes)?,
        audience: targets,
        actor,
    })
}

/// The scopes of the new token: without a wish all that the subject's token has and the client may
/// have. Nobody refreshes an exchanged token.
fn scopes(
    client: &Client,
    policy: &TokenExchangePolicy,
    requested: Option<&Scopes>,
    held: &Scopes,
) -> Result<Scopes, ExchangeRefusal> {
    let held = held.filtered(|scope| scope != OFFLINE_ACCESS);
    let available = client.permitted(&held.union(&policy.scope));
    match requested {
        None => Ok(client.permitted(&held)),
        Some(requested) if available.contains_all(requested) => Ok(requested.clone()),
        Some(_) => Err(ExchangeRefusal::ScopeNotAllowed),
    }
}

/// Longer chains are a loop or a mistake.
const MOST_ACTORS: usize = 4;

const MOST_TARGETS: usize = 10;

#[cfg(test)]
mod tests {
    use super::super::client_metadata::ClientMetadata;
    use super::super::timestamp::Timestamp;
    use super::*;

    fn client(policy: Option<TokenExchangePolicy>) -> Client {
        Client {
            id: "gateway".parse().unwrap(),
            metadata: ClientMetadata {
                scope: Some("openid orders stock".parse().unwrap()),
                access_token_audience: vec!["https://orders.test".to_owned()],
                token_exchange: policy,
                ..ClientMetadata::default()
            },
            secret: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            disabled_at: None,
            self_registered_at: None,
        }
    }

    fn token(client_id: &str, audience: &str, scopes: &str) -> KnownToken {
        KnownToken {
            sub: "alice".to_owned(),
            client_id: client_id.to_owned(),
            audience: OneOrMany::One(audience.to_owned()),
            scopes: scopes.parse().unwrap(),
            actor: None,
        }
    }

    fn policy() -> TokenExchangePolicy {
        TokenExchangePolicy {
            subject_clients: vec!["shop".to_owned()],
            audience: vec!["https://stock.test".to_owned()],
            scope: "stock".parse().unwrap(),
            impersonation: true,
        }
    }

    #[test]
    fn a_client_exchanges_tokens_that_it_has_to_do_with() {
        use ExchangeRefusal::SubjectOfAnotherClient;
        for (policy, issued_to, audience, expected) in [
            (Some(policy()), "shop", "elsewhere", Ok(())),
            (Some(policy()), "gateway", "elsewhere", Ok(())),
            (Some(policy()), "other", "gateway", Ok(())),
            (
                Some(policy()),
                "other",
                "elsewhere",
                Err(SubjectOfAnotherClient),
            ),
            (None, "shop", "elsewhere", Err(SubjectOfAnotherClient)),
            (
                None,
                "shop",
                "gateway",
                Err(ExchangeRefusal::ImpersonationNotAllowed),
            ),
        ] {
            let subject = token(issued_to, audience, "openid orders");
            let decided = decide(&client(policy), Vec::new(), None, &subject, None);
            assert_eq!(decided.map(drop), expected, "{issued_to} {audience}");
        }
    }

    #[test]
    fn a_client_gets_no_more_than_its_policy_allows() {
        use ExchangeRefusal::{ScopeNotAllowed, TargetNotAllowed};
        for (targets, requested, expected) in [
            (&[][..], None, Ok("openid orders")),
            (&["https://stock.test"], Some("stock"), Ok("stock")),
            (&["https://orders.test"], Some("orders"), Ok("orders")),
            (&["https://evil.test"], None, Err(TargetNotAllowed)),
            (
                &["https://stock.test", "https://evil.test"],
                None,
                Err(TargetNotAllowed),
            ),
            (&[], Some("email"), Err(ScopeNotAllowed)),
            (&[], Some("openid offline_access"), Err(ScopeNotAllowed)),
            (&[], Some("admin"), Err(ScopeNotAllowed)),
        ] {
            let subject = token("shop", "x", "openid orders offline_access email admin");
            let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
            let requested = requested.map(|scope: &str| scope.parse::<Scopes>().unwrap());
            let client = client(Some(policy()));
            let decided = decide(&client, targets.clone(), requested.as_ref(), &subject, None);
            let decided = decided.map(|exchange| {
                assert_eq!(exchange.audience, targets);
                exchange.scopes.to_string()
            });
            let expected = expected.map(str::to_owned);
            assert_eq!(decided, expected, "{targets:?} {requested:?}");
        }
    }

    #[test]
    fn who_acts_is_remembered_in_order_and_not_without_end() {
        let delegating = TokenExchangePolicy {
            impersonation: false,
            ..policy()
        };
        let client = client(Some(delegating));
        let mut subject = token("shop", "x", "orders");
        let own = KnownToken {
            sub: "gateway".to_owned(),
            ..token("gateway", "x", "")
        };
        for length in 1..=MOST_ACTORS {
            let exchange = decide(&client, Vec::new(), None, &subject, Some(&own)).unwrap();
            let actor = exchange.actor.unwrap();
            assert_eq!(actor.length(), length);
            assert_eq!(actor.act.as_deref(), subject.actor.as_ref());
            assert_eq!((actor.sub.as_str(), &actor.client_id), ("gateway", &None));
            subject.actor = Some(actor);
        }
        let longer = decide(&client, Vec::new(), None, &subject, Some(&own));
        assert_eq!(longer, Err(ExchangeRefusal::TooManyActors));

        let person = token("gateway", "x", "");
        subject.actor = None;
        let exchange = decide(&client, Vec::new(), None, &subject, Some(&person)).unwrap();
        assert_eq!(
            serde_json::to_string(&exchange.actor).unwrap(),
            r#"{"sub":"alice","client_id":"gateway"}"#
        );
        let stranger = token("shop", "x", "");
        let refused = decide(&client, Vec::new(), None, &subject, Some(&stranger));
        assert_eq!(refused, Err(ExchangeRefusal::ActorOfAnotherClient));
    }

    #[test]
    fn who_impersonates_does_not_make_earlier_actors_forgotten() {
        let before = Actor {
            sub: "gateway".to_owned(),
            client_id: None,
            act: None,
        };
        let subject = KnownToken {
            actor: Some(before.clone()),
            ..token("shop", "x", "orders")
        };
        let decided = decide(&client(Some(policy())), Vec::new(), None, &subject, None);
        assert_eq!(decided.unwrap().actor, Some(before));
    }

    #[test]
    fn what_is_no_exchange_is_told_apart() {
        use TokenExchangeRequestError as Error;
        const SUBJECT: &str =
            "subject_token=t&subject_token_type=urn:ietf:params:oauth:token-type:access_token";
        for (body, expected) in [
            ("", Ok(())),
            ("&audience=a&audience=b&resource=https://a.test/b?c", Ok(())),
            (
                "&requested_token_type=urn:ietf:params:oauth:token-type:access_token",
                Ok(()),
            ),
            (
                "&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token",
                Err(Error::UnsupportedTokenType("requested_token_type")),
            ),
            (
                "&requested_token_type=urn:ietf:params:oauth:token-type:id_token",
                Err(Error::UnsupportedTokenType("requested_token_type")),
            ),
            ("&actor_token=a", Err(Error::Missing("actor_token_type"))),
            (
                "&actor_token_type=urn:ietf:params:oauth:token-type:jwt",
                Err(Error::ActorTokenMissing),
            ),
            (
                "&actor_token=a&actor_token_type=urn:ietf:params:oauth:token-type:saml2",
                Err(Error::UnsupportedTokenType("actor_token_type")),
            ),
            ("&resource=/relative", Err(Error::InvalidTarget)),
            ("&resource=https://a.test/%23b", Err(Error::InvalidTarget)),
            (
                "&subject_token=u",
                Err(Error::Repeated(Repeated("subject_token"))),
            ),
        ] {
            let body = Parameters::parse(&format!("{SUBJECT}{body}")).unwrap();
            let parsed = TokenExchangeRequest::parse(&body, None);
            assert_eq!(parsed.map(drop), expected, "{body:?}");
        }
        for (body, expected) in [
            ("", Error::Missing("subject_token")),
            ("subject_token=t", Error::Missing("subject_token_type")),
            (
                "subject_token=t&subject_token_type=urn:ietf:params:oauth:token-type:refresh_token",
                Error::UnsupportedTokenType("subject_token_type"),
            ),
        ] {
            let body = Parameters::parse(body).unwrap();
            let parsed = TokenExchangeRequest::parse(&body, None);
            assert_eq!(parsed.map(drop), Err(expected), "{body:?}");
        }
    }
}
