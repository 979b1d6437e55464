//! Delivering logout tokens ([Back-Channel Logout section 2.5]).
//!
//! The queue is in the store, and each attempt is claimed there by one replica. Nothing here is in
//! anybody's way: who signs out has been answered before.
//!
//! [Back-Channel Logout section 2.5]: https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::keys::jwt::{self, TokenType};
use crate::oidc::client::Client;
use crate::oidc::logout_token::{
    LIFETIME, LogoutDelivery, LogoutEvents, LogoutTokenClaims, Verdict, pause_after, verdict,
};
use crate::oidc::timestamp::Timestamp;
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, logout_deliveries};

/// The deliveries that are on their way from here, and to which target each goes.
#[derive(Default)]
struct Underway {
    tasks: JoinSet<()>,
    targets: HashMap<Id, String>,
}

impl Underway {
    fn has_place_for(&self, target: &str) -> bool {
        let to_target = self.targets.values().filter(|own| *own == target).count();
        to_target < PER_TARGET as usize && self.tasks.len() < AT_ONCE
    }

    fn start(&mut self, target: String, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(task);
        self.targets.insert(handle.id(), target);
    }

    fn end(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.targets.remove(&id);
    }
}

impl Provider {
    /// Delivers logout tokens for as long as it is polled: at once those that are queued here, and
    /// after a moment those that another process queued.
    pub async fn deliver_logout_tokens(self: Arc<Self>) {
        let mut underway = Underway::default();
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = beats.tick() => {}
                () = self.logouts.notified() => {}
                Some(ended) = underway.tasks.join_next_with_id() => underway.end(ended),
            }
            if let Err(error) = self.start_due(&mut underway).await {
                tracing::warn!(cause = %error, "the queue of logout tokens could not be read");
            }
        }
    }

    /// Starts the deliveries that are due, as far as there is place for them.
    async fn start_due(self: &Arc<Self>, underway: &mut Underway) -> Result<(), InternalError> {
        let now = self.clock.now();
        let mut db = self.store.read().await?;
        let due = logout_deliveries::list_due(&mut db, now, PER_TARGET, LISTED).await?;
        drop(db);
        for (mut delivery, client) in due {
            if !underway.has_place_for(&delivery.target) {
                continue;
            }
            if !self.claim(&mut delivery, now).await? {
                continue;
            }
            let provider = Arc::clone(self);
            let target = delivery.target.clone();
            underway.start(target, async move {
                if let Err(error) = provider.deliver(&delivery, &client).await {
                    let client_id = &delivery.client_id;
                    tracing::warn!(client.id = %client_id, cause = %error, "logout token kept back");
                }
            });
        }
        Ok(())
    }

    /// Takes the next attempt of a delivery for this process. If it dies, the attempt after that
    /// is some other's.
    async fn claim(
        &self,
        delivery: &mut LogoutDelivery,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, attempts) = (delivery.id, delivery.attempts);
        delivery.attempts += 1;
        let next = now.after(pause_after(delivery.attempts).unwrap_or(LAST_PAUSE));
        self.store
            .write(move |db| {
                Box::pin(async move { logout_deliveries::claim(db, id, attempts, next).await })
            })
            .await
    }

    /// Makes one attempt, and notes what came of it.
    async fn deliver(
        &self,
        delivery: &LogoutDelivery,
        client: &Client,
    ) -> Result<(), InternalError> {
        let is_last = pause_after(delivery.attempts).is_none();
        let (verdict, status) = match &client.metadata.backchannel_logout_uri {
            // Its last attempt was begun by a process that did not come to its end.
            _ if delivery.attempts > MOST_ATTEMPTS => (Verdict::Refused, "interrupted".to_owned()),
            None => (Verdict::Refused, "the client has no URI for it".to_owned()),
            Some(uri) => {
                let token = self.make_logout_token(delivery, client)?;
                let form = [("logout_token", token.as_str())];
                match self.outbound.post_form(uri.as_str(), &form).await {
                    Ok(status) => (verdict(status), status.to_string()),
                    Err(error) => (Verdict::Later, error.to_string()),
                }
            }
        };
        let verdict = match verdict {
            Verdict::Later if is_last => Verdict::Refused,
            verdict => verdict,
        };
        let (client_id, attempt) = (&delivery.client_id, delivery.attempts);
        let session_id = delivery.session_id;
        match verdict {
            Verdict::Delivered => {
                tracing::info!(
                    client.id = %client_id, session.id = %session_id, attempt, status,
                    "logout token delivered"
                );
            }
            Verdict::Refused => {
                tracing::warn!(
                    client.id = %client_id, session.id = %session_id, attempt, status,
                    "logout token given up"
                );
            }
            Verdict::Later => {
                tracing::info!(
                    client.id = %client_id, session.id = %session_id, attempt, status,
                    "logout token not delivered, to be tried again"
                );
            }
        }
        self.note(delivery, verdict, status).await?;
        Ok(())
    }

    async fn note(
        &self,
        delivery: &LogoutDelivery,
        verdict: Verdict,
        status: String,
    ) -> Result<bool, StoreError> {
        let (id, now) = (delivery.id, self.clock.now());
        self.store
            .write(move |db| {
                Box::pin(
                    async move { logout_deliveries::note(db, id, verdict, &status, now).await },
                )
            })
            .await
    }

    /// A logout token for one attempt. It is new each time: it lives for two minutes.
    fn make_logout_token(
        &self,
        delivery: &LogoutDelivery,
        client: &Client,
    ) -> Result<String, InternalError> {
        let now = self.clock.now();
        let claims = LogoutTokenClaims {
            iss: self.issuer.to_string(),
            sub: self.subject(client, delivery.user_id),
            aud: client.id.to_string(),
            iat: now,
            exp: now.after(LIFETIME),
            jti: self.random.uuid().to_string(),
            events: LogoutEvents::default(),
            sid: delivery.session_id.to_string(),
        };
        let key = self.signing_key(client.metadata.id_token_signed_response_alg, now)?;
        Ok(jwt::sign(&key, TokenType::LogoutToken, &claims)?)
    }
}

/// How soon what another process has queued, or is due again, is seen.
const BEAT: Duration = Duration::from_secs(2);

/// How many deliveries are on their way to one target at once: one that does not answer holds so
/// many places for five seconds, and not those of the others.
const PER_TARGET: u32 = 2;

/// How many deliveries are on their way from one process at once.
const AT_ONCE: usize = 16;

/// How many that are due are looked at: more than can be held up by targets without place.
const LISTED: u32 = 64;

/// How long after its last attempt a delivery that nobody settled is given up.
const LAST_PAUSE: Duration = Duration::from_mins(2);

const MOST_ATTEMPTS: i64 = 5;
