//! RP-initiated logout ([OpenID Connect RP-Initiated Logout 1.0]).
//!
//! [OpenID Connect RP-Initiated Logout 1.0]: https://openid.net/specs/openid-connect-rpinitiated-1_0.html

use crate::oidc::authorization_response::with_query;
use crate::oidc::client::Client;
use crate::oidc::parameters::{Parameters, Repeated};
use crate::provider::logout::SessionEnd;
use crate::provider::{InternalError, Provider};
use crate::store::{Connection, StoreError, clients};

use super::{Browser, SignedIn};

/// What a logout request leads to.
#[derive(Debug)]
pub enum LogoutOutcome {
    /// The browser is signed out.
    SignedOut(SignedOut),
    /// The person is asked first.
    Confirm {
        /// Who is signed in.
        signed_in: Box<SignedIn>,
        /// The client that asks, if it is known.
        client: Option<Box<Client>>,
        /// The parameters to send again with the answer.
        fields: Vec<(&'static str, String)>,
    },
}

/// A browser in which nobody is signed in any more.
#[derive(Debug, Default)]
pub struct SignedOut {
    /// Where to go, if the client named a registered place.
    pub return_to: Option<String>,
    /// What to load first, one for each client that is told through the browser.
    pub front_channel: Vec<FrontChannelLogout>,
}

/// A client that is told through the browser that a session has ended
/// ([Front-Channel Logout section 3]).
///
/// [Front-Channel Logout section 3]: https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FrontChannelLogout {
    /// What to load.
    pub url: String,
    /// Where that is.
    pub origin: String,
}

/// Why a logout request is refused, on a page of Keyfob's own.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// A parameter twice.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// An `id_token_hint` that is not an ID token of this provider.
    #[error("the id_token_hint is not an ID token of this provider")]
    InvalidIdTokenHint,
    /// A `client_id` that is not that of the hint, or of no client.
    #[error("the client_id is unknown or not that of the id_token_hint")]
    OtherClient,
    /// A `post_logout_redirect_uri` that is not registered for the client.
    #[error("the post_logout_redirect_uri is not registered for the client")]
    RedirectUriNotRegistered,
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl From<StoreError> for LogoutError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

/// A logout request whose parts belong together.
struct LogoutRequest {
    client: Option<Client>,
    return_to: Option<String>,
    /// The session and the subject that a valid hint names.
    hinted: Option<(String, String)>,
}

impl Provider {
    /// Answers a logout request: at once if its hint names who is signed in, else after asking.
    pub async fn end_session(
        &self,
        browser: &Browser,
        parameters: &Parameters,
    ) -> Result<LogoutOutcome, LogoutError> {
        let mut db = self.store.read().await?;
        let request = self.read_logout(&mut db, parameters).await?;
        let signed_in = self.find_signed_in(&mut db, browser).await?;
        drop(db);
        let Some(signed_in) = signed_in else {
            // Without a hint the place to return to is not known to be meant by the client.
            let return_to = request.return_to.filter(|_| request.hinted.is_some());
            return Ok(LogoutOutcome::SignedOut(SignedOut {
                return_to,
                front_channel: Vec::new(),
            }));
        };
        // The hint is of this client: what it calls people is known only by it.
        let client = request.client.as_ref();
        let own = client.map(|client| self.subject(client, signed_in.user.id));
        let is_hinted = request.hinted.is_some_and(|(sid, subject)| {
            sid == signed_in.session.id.to_string() || own.is_some_and(|own| own == subject)
        });
        if is_hinted {
            return Ok(LogoutOutcome::SignedOut(SignedOut {
                front_channel: self.end(&signed_in).await?,
                return_to: request.return_to,
            }));
        }
        let mut fields = Vec::new();
        for name in [
            "client_id",
            "post_logout_redirect_uri",
            "state",
            "id_token_hint",
        ] {
            if let Some(value) = parameters.get(name)? {
                fields.push((name, value.to_owned()));
            }
        }
        Ok(LogoutOutcome::Confirm {
            signed_in: Box::new(signed_in),
            client: request.client.map(Box::new),
            fields,
        })
    }

    /// Signs out after the person was asked.
    pub async fn confirm_logout(
        &self,
        browser: &Browser,
        parameters: &Parameters,
    ) -> Result<SignedOut, LogoutError> {
        let mut db = self.store.read().await?;
        let request = self.read_logout(&mut db, parameters).await?;
        let signed_in = self.find_signed_in(&mut db, browser).await?;
        drop(db);
        let front_channel = match signed_in {
            Some(signed_in) => self.end(&signed_in).await?,
            None => Vec::new(),
        };
        Ok(SignedOut {
            return_to: request.return_to,
            front_channel,
        })
    }

    async fn read_logout(
        &self,
        db: &mut Connection,
        parameters: &Parameters,
    ) -> Result<LogoutRequest, LogoutError> {
        let hint = parameters.get("id_token_hint")?;
        let claims = match hint {
            None => None,
            Some(hint) => {
                let claims = self.read_id_token(hint, None);
                Some(claims.map_err(|_| LogoutError::InvalidIdTokenHint)?)
            }
        };
        let named = parameters.get("client_id")?;
        let hinted = claims.as_ref().map(|claims| claims.aud.as_str());
        if named.is_some() && hinted.is_some() && named != hinted {
            return Err(LogoutError::OtherClient);
        }
        let client = match named.or(hinted).map(str::parse) {
            Some(Ok(id)) => clients::find(db, &id).await?.filter(Client::is_enabled),
            Some(Err(_)) | None => None,
        };
        if named.is_some() && client.is_none() {
            return Err(LogoutError::OtherClient);
        }
        let state = parameters.get("state")?;
        let return_to = match (parameters.get("post_logout_redirect_uri")?, &client) {
            (None, _) | (Some(_), None) => None,
            (Some(uri), Some(client)) => {
                let registered = &client.metadata.post_logout_redirect_uris;
                if !registered.iter().any(|own| own.matches(uri)) {
                    return Err(LogoutError::RedirectUriNotRegistered);
                }
                let state = state.map(|state| ("state", state.to_owned()));
                Some(with_query(uri, state.as_slice()))
            }
        };
        Ok(LogoutRequest {
            client,
            return_to,
            hinted: claims.map(|claims| (claims.sid, claims.sub)),
        })
    }

    /// Ends a session. Returns the clients that the browser has to tell; the others are told
    /// without it, and nobody waits for that.
    async fn end(&self, signed_in: &SignedIn) -> Result<Vec<FrontChannelLogout>, StoreError> {
        let (session_id, user_id) = (signed_in.session.id, signed_in.user.id);
        let end = self.session_end("signed out");
        let clients = self
            .store
            .write(move |db| Box::pin(async move { end.of_session(db, session_id, user_id).await }))
            .await?;
        self.logouts.notify_one();
        tracing::info!(session.id = %session_id, "signed out");
        let front_channel = clients.iter().filter_map(|client| {
            let metadata = &client.metadata;
            let uri = metadata.frontchannel_logout_uri.as_ref()?;
            let wants_session = metadata.frontchannel_logout_session_required;
            Some(FrontChannelLogout {
                url: uri.in_front_channel(wants_session, &self.issuer, session_id),
                origin: uri.origin(),
            })
        });
        Ok(front_channel.collect())
    }

    /// How sessions end that a browser ends.
    pub(super) fn session_end(&self, reason: &'static str) -> SessionEnd {
        SessionEnd {
            ends: self.policy.logout.ends,
            reason,
            now: self.clock.now(),
            random: self.random.clone(),
        }
    }
}
