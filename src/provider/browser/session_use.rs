//! What the store keeps of the use of a session: when it was, and for which client.

use crate::oidc::client::{Client, ClientId};
use crate::oidc::session::SessionId;
use crate::oidc::timestamp::Timestamp;
use crate::provider::Provider;
use crate::store::{Connection, StoreError, session_clients, sessions};

use super::SignedIn;

/// A session that somebody is signed in to a client with.
pub(super) struct SessionUse {
    id: SessionId,
    /// The client, if it wants to be told when the session ends.
    told: Option<ClientId>,
    /// When the session ends unless it is used again, if that is to be written down now.
    idle_expires_at: Option<Timestamp>,
}

impl Provider {
    /// The use of somebody's session at `now` to be signed in to `client`.
    pub(super) fn session_use(
        &self,
        client: &Client,
        signed_in: &SignedIn,
        now: Timestamp,
    ) -> SessionUse {
        let session = &signed_in.session;
        let is_told = client.metadata.wants_to_know_of_logout();
        let is_due = now.seconds_since(session.seen_at) >= SEEN_EVERY;
        SessionUse {
            id: session.id,
            told: is_told.then(|| client.id.clone()),
            idle_expires_at: is_due.then(|| now.after(self.policy.lifetimes.session_idle)),
        }
    }
}

impl SessionUse {
    /// Writes it down, as far as it is to be.
    pub(super) async fn note(self, db: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
        if let Some(client_id) = &self.told {
            session_clients::insert(db, self.id, client_id, now).await?;
        }
        if let Some(idle_expires_at) = self.idle_expires_at {
            sessions::touch(db, self.id, now, idle_expires_at).await?;
        }
        Ok(())
    }
}

/// The seconds after which a session's last use is written down again.
const SEEN_EVERY: i64 = 60;
