//! What an authorization request needs next ([OIDC Core section 3.1.2.3]).
//!
//! This is the one place that decides: every page returns the browser to the authorization
//! endpoint, which asks here anew.
//!
//! [OIDC Core section 3.1.2.3]: https://openid.net/specs/openid-connect-core-1_0.html#Authenticates

use super::authorization_request::{AuthorizationRequest, Refusal};
use super::client::Client;
use super::consent::Consent;
use super::session::Session;
use super::timestamp::Timestamp;
use super::transaction::Transaction;
use super::user::{User, UserId};

/// What to do with an authorization request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Show the login page.
    LogIn,
    /// Ask which account to use.
    SelectAccount,
    /// Ask for consent.
    AskConsent,
    /// Tell the client no.
    Refuse(Refusal),
    /// Issue a code.
    Grant,
}

/// All that the decision depends on, beside the request.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The redirect URI that the answer goes to.
    pub redirect_uri: &'a str,
    /// Who is signed in in this browser.
    pub signed_in: Option<(&'a Session, &'a User)>,
    /// What has happened on the pages of this request, if any was shown.
    pub transaction: Option<&'a Transaction>,
    /// The user whom a verified `id_token_hint` names.
    pub hinted: Option<UserId>,
    /// What the user has allowed the client before.
    pub consented: Option<&'a Consent>,
    /// Now.
    pub now: Timestamp,
}

/// Decides the next step of `request`.
#[must_use]
pub fn next_step(request: &AuthorizationRequest, client: &Client, situation: &Situation) -> Step {
    let prompt = request.prompt;
    if !request.acr.can_be_met() {
        return Step::Refuse(Refusal::UnmetAuthentication);
    }
    let Some((session, user)) = situation.signed_in else {
        return interact(prompt.none, Step::LogIn, Refusal::LoginRequired);
    };
    // What happened on the pages counts only for the user who did it.
    let done = situation
        .transaction
        .filter(|transaction| transaction.user_id == Some(user.id));
    let has_just_signed_in = done.is_some_and(|done| done.authenticated_at.is_some());

    if !has_just_signed_in && (prompt.login || is_stale(request, session, situation.now)) {
        return interact(prompt.none, Step::LogIn, Refusal::LoginRequired);
    }
    // OIDC Core section 5.5.1.1: who is not authenticated as demanded may try again, once.
    if !request.acr.is_met_by(&session.amr) {
        if has_just_signed_in {
            return Step::Refuse(Refusal::UnmetAuthentication);
        }
        return interact(prompt.none, Step::LogIn, Refusal::UnmetAuthentication);
    }
    let is_other = situation.hinted.is_some_and(|hinted| hinted != user.id);
    if is_other || !request.claims.is_for(&user.id.to_string()) {
        if has_just_signed_in {
            return Step::Refuse(Refusal::OtherUserThanHinted);
        }
        return interact(prompt.none, Step::LogIn, Refusal::LoginRequired);
    }
    let has_chosen =
        has_just_signed_in || done.is_some_and(|done| done.account_chosen_at.is_some());
    if prompt.select_account && !has_chosen {
        return Step::SelectAccount;
    }
    if !user.is_in_one_of(&client.metadata.allowed_groups) {
        return Step::Refuse(Refusal::NotInGroup);
    }
    let has_just_consented = done.is_some_and(|done| done.consented_at.is_some());
    if !has_just_consented && needs_consent(request, client, situation) {
        return interact(prompt.none, Step::AskConsent, Refusal::ConsentRequired);
    }
    Step::Grant
}

fn interact(may_not: bool, step: Step, refusal: Refusal) -> Step {
    if may_not { Step::Refuse(refusal) } else { step }
}

/// Whether the authentication is older than `max_age`; `max_age=0` makes every one too old.
fn is_stale(request: &AuthorizationRequest, session: &Session, now: Timestamp) -> bool {
    let Some(max_age) = request.max_age else {
        return false;
    };
    let age = now.seconds_since(session.authenticated_at).max(0);
    max_age == 0 || u64::try_from(age).unwrap_or(u64::MAX) > max_age
}

fn needs_consent(request: &AuthorizationRequest, client: &Client, situation: &Situation) -> bool {
    if request.prompt.consent {
        return true;
    }
    if client.metadata.skip_consent {
        return false;
    }
    // One consent to a payment is none to the next: what is allowed in detail is not remembered.
    if !request.authorization_details.is_empty() {
        return true;
    }
    // RFC 8252 section 8.6: anybody can pretend to be a public client that is reached otherwise
    // than over TLS, so its consent is never remembered.
    let can_be_impersonated =
        !client.is_confidential() && !situation.redirect_uri.starts_with("https://");
    let consented = situation.consented;
    let is_covered = consented.is_some_and(|it| it.covers(request));
    can_be_impersonated || !is_covered
}
