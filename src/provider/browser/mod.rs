//! What a person's browser asks of the provider: pages and redirects.

pub mod account_selection;
pub mod authorization;
mod authorization_response;
pub mod browser_state;
pub mod consent;
pub mod device;
pub mod form;
pub mod login;
pub mod logout;
mod request;
mod session_use;
pub(in crate::provider) mod throttle;
pub mod transaction;
pub mod unchecked_client;
pub mod unregistered_redirect_uri;

use std::net::IpAddr;

use crate::oidc::secret::Secret;
use crate::oidc::session::Session;
use crate::oidc::user::User;
use crate::store::{Connection, StoreError, sessions};

use super::Provider;

/// The cookies that a browser sent, and where it is.
#[derive(Debug, Default)]
pub struct Browser {
    /// The session of somebody who signed in.
    pub session: Option<Secret>,
    /// What transactions are bound to.
    pub binding: Option<Secret>,
    /// What makes it known to the accounts that were used in it.
    pub known: Option<Secret>,
    /// Its address, of which a throttle counts the failures.
    pub address: Option<IpAddr>,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Who.
    pub user: User,
}

impl Provider {
    /// Who is signed in in `browser`.
    async fn find_signed_in(
        &self,
        db: &mut Connection,
        browser: &Browser,
    ) -> Result<Option<SignedIn>, StoreError> {
        let Some(secret) = &browser.session else {
            return Ok(None);
        };
        let found = sessions::find_by_digest(db, &secret.digest(), self.clock.now()).await?;
        Ok(found.map(|(session, user)| SignedIn { session, user }))
    }

    /// Who is signed in in `browser`, for a page that only shows it.
    pub async fn signed_in(
        &self,
        browser: &Browser,
    ) -> Result<Option<SignedIn>, super::InternalError> {
        if browser.session.is_none() {
            return Ok(None);
        }
        let mut db = self.store.read().await?;
        Ok(self.find_signed_in(&mut db, browser).await?)
    }
}
