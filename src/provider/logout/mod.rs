//! The end of sessions: what ends with them, and who is told.

mod backchannel;

use crate::oidc::client::Client;
use crate::oidc::logout::EndingGrants;
use crate::oidc::logout_token::LogoutDelivery;
use crate::oidc::session::SessionId;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::UserId;
use crate::store::grants::OfSession;
use crate::store::{Connection, StoreError, grants, logout_deliveries, session_clients, sessions};

use super::random::Random;

/// How sessions end in a unit of work.
#[derive(Clone, Debug)]
pub(super) struct SessionEnd {
    /// Which grants end with them.
    pub(super) ends: EndingGrants,
    /// Why, as it is kept with the grants.
    pub(super) reason: &'static str,
    /// When.
    pub(super) now: Timestamp,
    /// What names the deliveries.
    pub(super) random: Random,
}

impl SessionEnd {
    /// Ends a session and the grants that end with it, and queues a logout token for each client
    /// that asked for one. Returns the clients that want to be told in whichever way; none if the
    /// session had ended before.
    pub(super) async fn of_session(
        &self,
        db: &mut Connection,
        session_id: SessionId,
        user_id: UserId,
    ) -> Result<Vec<Client>, StoreError> {
        if !sessions::end(db, session_id, self.now).await? {
            return Ok(Vec::new());
        }
        let which = match self.ends {
            EndingGrants::Nothing => None,
            EndingGrants::Online => Some(OfSession::Online),
            EndingGrants::All => Some(OfSession::All),
        };
        if let Some(which) = which {
            grants::revoke_all_of_session(db, session_id, which, self.now, self.reason).await?;
        }
        self.tell_clients(db, session_id, user_id).await
    }

    /// Ends every session and every grant of a user, and queues the logout tokens.
    pub(super) async fn of_user(
        &self,
        db: &mut Connection,
        user_id: UserId,
    ) -> Result<(), StoreError> {
        for session in sessions::list_of_user(db, user_id, self.now).await? {
            self.tell_clients(db, session.id, user_id).await?;
        }
        sessions::end_all_of_user(db, user_id, self.now).await?;
        grants::revoke_all_of_user(db, user_id, self.now, self.reason).await?;
        Ok(())
    }

    async fn tell_clients(
        &self,
        db: &mut Connection,
        session_id: SessionId,
        user_id: UserId,
    ) -> Result<Vec<Client>, StoreError> {
        let clients = session_clients::list(db, session_id).await?;
        for client in &clients {
            let Some(uri) = &client.metadata.backchannel_logout_uri else {
                continue;
            };
            let delivery = LogoutDelivery {
                id: self.random.uuid(),
                client_id: client.id.clone(),
                session_id,
                user_id,
                target: uri.origin(),
                attempts: 0,
                last_status: None,
                created_at: self.now,
                next_attempt_at: Some(self.now),
                delivered_at: None,
                failed_at: None,
            };
            logout_deliveries::insert(db, &delivery).await?;
        }
        Ok(clients)
    }
}
