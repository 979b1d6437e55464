//! How many registrations, and how many changes of them, come from one address ([RFC 7591 section 5]):
//! each makes Keyfob look names up, and may make it ask an address that a stranger names.
//!
//! [RFC 7591 section 5]: https://www.rfc-editor.org/rfc/rfc7591#section-5

use std::net::IpAddr;
use std::time::Duration;

use crate::oidc::secret::Digest;
use crate::provider::browser::throttle::network;
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, login_throttles};

/// What is counted, each by itself.
#[derive(Clone, Copy)]
pub(super) enum Counted {
    /// New clients.
    Registrations,
    /// Registrations that are replaced.
    Changes,
}

impl Counted {
    fn as_str(self) -> &'static str {
        match self {
            Self::Registrations => "registrations",
            Self::Changes => "registration changes",
        }
    }
}

impl Provider {
    /// Counts one more from an address. If there were too many, returns after how long the next one
    /// is looked at.
    pub(super) async fn count(
        &self,
        what: Counted,
        address: Option<IpAddr>,
    ) -> Result<Option<Duration>, InternalError> {
        let address = address.map_or_else(String::new, network);
        let key = Digest::of(&format!("{} from {address}", what.as_str()));
        let now = self.clock.now();
        let window = self.policy.throttle.window;
        let limit = i64::from(self.policy.throttle.address_registrations);
        let wait: Option<u64> = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    if login_throttles::count(db, &key, now, window).await? <= limit {
                        return Ok(None);
                    }
                    let found = login_throttles::find(db, &key, now).await?;
                    let wait = found.map_or(1, |(_, until)| until.seconds_since(now));
                    Ok::<_, StoreError>(Some(u64::try_from(wait).unwrap_or(1).max(1)))
                })
            })
            .await?;
        Ok(wait.map(Duration::from_secs))
    }
}
