//! Slowing down who guesses passwords.
//!
//! An attempt is counted before the password is checked, so that many at once cannot slip through
//! between the check and the count, and counted off again when the password was right. A browser
//! in which the account has been used before has a count of its own: nobody can lock a person out
//! of it from elsewhere.

use std::net::IpAddr;
use std::time::Duration;

use crate::oidc::secret::Digest;
use crate::oidc::user::{LoginName, User};
use crate::provider::Provider;
use crate::store::{Connection, StoreError, known_browsers, login_throttles};

use super::login::LoginError;
use super::{Browser, SignedIn};

/// What an attempt counts against, and how much each allows.
pub(super) struct Throttle {
    pub(super) keys: Vec<Digest>,
    limits: Vec<u32>,
}

impl Provider {
    /// Whether the account has been used in this browser before.
    pub(super) async fn is_known(
        &self,
        db: &mut Connection,
        browser: &Browser,
        user: Option<&User>,
    ) -> Result<bool, StoreError> {
        let (Some(known), Some(user)) = (&browser.known, user) else {
            return Ok(false);
        };
        known_browsers::is_known(db, &known.digest(), user.id, self.clock.now()).await
    }

    pub(super) fn throttle(
        &self,
        browser: &Browser,
        is_known: bool,
        name: Option<&LoginName>,
        user: Option<&User>,
    ) -> Throttle {
        let policy = &self.policy.throttle;
        if let (true, Some(known)) = (is_known, &browser.known) {
            return Throttle {
                keys: vec![Digest::of(&format!("browser {}", known.expose()))],
                limits: vec![policy.known_browser_failures],
            };
        }
        // One account is one count, however it is named; an unknown one counts the same way.
        let account = match (user, name) {
            (Some(user), _) => format!("account {}", user.id),
            (None, Some(LoginName::Username(name))) => format!("name {name}"),
            (None, Some(LoginName::Email(key))) => format!("email {}", key.as_str()),
            (None, None) => "no account".to_owned(),
        };
        let address = browser.address.map_or_else(String::new, network);
        Throttle {
            keys: vec![
                Digest::of(&account),
                Digest::of(&format!("address {address}")),
            ],
            limits: vec![policy.account_failures, policy.address_failures],
        }
    }

    /// What a user code counts against: the account, so that whoever wants to guess on has to have
    /// many of them, or else the address; and the browser.
    pub(super) fn user_code_throttle(
        &self,
        browser: &Browser,
        signed_in: Option<&SignedIn>,
    ) -> Throttle {
        let guesser = match signed_in {
            Some(signed_in) => format!("user codes of account {}", signed_in.user.id),
            None => {
                let address = browser.address.map_or_else(String::new, network);
                format!("user codes of address {address}")
            }
        };
        let mut keys = vec![Digest::of(&guesser)];
        if let Some(binding) = &browser.binding {
            let browser = format!("user codes of browser {}", binding.expose());
            keys.push(Digest::of(&browser));
        }
        let limits = vec![self.policy.throttle.user_code_failures; keys.len()];
        Throttle { keys, limits }
    }

    /// Counts an attempt, and refuses it if there were too many.
    pub(super) async fn count_attempt(&self, throttle: &Throttle) -> Result<(), LoginError> {
        let now = self.clock.now();
        let window = self.policy.throttle.window;
        let keys = throttle.keys.clone();
        let limits = throttle.limits.clone();
        let waits = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    let mut waits = Vec::new();
                    for (key, limit) in keys.iter().zip(limits) {
                        let failures = login_throttles::count(db, key, now, window).await?;
                        if failures > i64::from(limit) {
                            let found = login_throttles::find(db, key, now).await?;
                            waits.extend(found.map(|(_, until)| until.seconds_since(now)));
                        }
                    }
                    Ok::<_, StoreError>(waits)
                })
            })
            .await?;
        match waits.into_iter().max() {
            None => Ok(()),
            Some(seconds) => Err(LoginError::TooManyFailures {
                retry_after: Duration::from_secs(u64::try_from(seconds).unwrap_or(1).max(1)),
            }),
        }
    }
}

/// The part of an address that one party holds: all of an IPv4 address, the /64 of an IPv6 one.
pub(in crate::provider) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected);
        }
    }
}
