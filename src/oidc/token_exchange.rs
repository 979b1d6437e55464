//! Token exchange ([RFC 8693]): a client turns a token that it holds into one for another API.
//!
//! Here is decided what comes of it, once the tokens are known to be good. A client may do no more
//! than its [`TokenExchangePolicy`] says, and gets no more than the subject's token already allows
//! but for the scopes that the policy names.
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::api::Apis;
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
    /// A target that the client may not name, or an API with others beside it.
    #[error("the client may not get tokens for this audience or resource")]
    TargetNotAllowed,
    /// A scope beyond what the client may have.
    #[error("the scope is more than the client may get for this token")]
    ScopeNotAllowed,
}

/// What comes of an exchange that `client` asks for.
pub fn decide(
    client: &Client,
    apis: &Apis,
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
    let may_name = |target: &String| {
        policy.audience.contains(target)
            || own.contains(target)
            || apis.find(target, client).is_ok()
    };
    // A token for an API is for no other.
    let is_mixed = targets.len() > 1 && targets.iter().any(|target| apis.get(target).is_some());
    if is_mixed || !targets.iter().all(may_name) {
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
#[path = "token_exchange_tests.rs"]
mod tests;
